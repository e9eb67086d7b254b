# Numbers for tests/risk/test_churn.py: Rscript cox_coxph.R (package survival 3.5-3), in this folder; writes cox_coxph.csv.
# Episodes: cox_episodes.csv (80 simulated customers, three episodes each, whole days, late entry, ties).
suppressMessages(library(survival))
d <- read.csv("cox_episodes.csv")
new <- data.frame(x1 = c(0, 1, -0.5), x2 = c(0, 1, 1), x3 = c(1, 0, 2), stratum = c("a", "b", "c"))
days <- c(10, 30, 60)
rows <- list()
keep <- function(case, what, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(case = case, what = what, name = name, value = sprintf("%.12g", value))
}
report <- function(case, fit) {
  for (name in names(coef(fit))) {
    keep(case, "coef", name, coef(fit)[[name]])
    keep(case, "se_plain", name, sqrt(diag(fit$naive.var))[match(name, names(coef(fit)))])
    keep(case, "se", name, sqrt(diag(fit$var))[match(name, names(coef(fit)))])
  }
  keep(case, "log_likelihood", "", fit$loglik[2])
  curves <- survfit(fit, newdata = new, stype = 2, ctype = 1)
  if (case != "strata") {
    at <- summary(curves, times = days)
    for (i in seq_along(days)) for (j in 1:3) keep(case, "risk", paste(days[i], j), 1 - at$surv[i, j])
  } else {
    for (j in 1:3) {
      at <- summary(survfit(fit, newdata = new[j, ], stype = 2, ctype = 1), times = days, extend = TRUE)
      for (i in seq_along(days)) keep(case, "risk", paste(days[i], j), 1 - at$surv[i])
    }
  }
}
control <- coxph.control(eps = 1e-13, iter.max = 100)
plain <- coxph(Surv(duration, event) ~ x1 + x2 + x3, d, cluster = customer, ties = "efron", control = control)
report("plain", plain)
late <- coxph(Surv(entry, duration, event) ~ x1 + x2 + x3, d, cluster = customer, ties = "efron", control = control)
report("late", late)
weighted <- coxph(Surv(entry, duration, event) ~ x1 + x2 + x3, d, weights = weight, cluster = customer,
                  ties = "efron", control = control)
report("weights", weighted)
strata <- coxph(Surv(entry, duration, event) ~ x1 + x2 + x3 + strata(stratum), d, cluster = customer, ties = "efron",
                control = control)
report("strata", strata)
naive <- coxph(Surv(entry, duration, event) ~ x1 + x2 + x3, d, ties = "efron", control = control)
test <- cox.zph(naive, transform = "km", global = FALSE)
for (name in rownames(test$table)) keep("late", "zph", name, test$table[name, "chisq"])
write.csv(do.call(rbind, rows), "cox_coxph.csv", row.names = FALSE, quote = FALSE)
