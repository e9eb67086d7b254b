# Numbers for tests/risk/test_churn.py: Rscript weibull_survreg.R (package survival 3.5-3), in this folder; writes
# weibull_survreg.csv. Log hazard ratios are minus the slopes over the scale; their variance by the delta method.
suppressMessages(library(survival))
d <- read.csv("cox_episodes.csv")
new <- data.frame(x1 = c(0, 1, -0.5), x2 = c(0, 1, 1), x3 = c(1, 0, 2))
fit <- survreg(Surv(duration, event) ~ x1 + x2 + x3, d, dist = "weibull", cluster = customer,
               control = survreg.control(rel.tolerance = 1e-13, maxiter = 200))
scale <- fit$scale
slope <- cbind(0, -diag(3) / scale, coef(fit)[-1] / scale)
error <- function(v) sqrt(diag(slope %*% v %*% t(slope)))
rows <- list()
keep <- function(what, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(what = what, name = name, value = sprintf("%.12g", value))
}
for (i in 1:3) {
  name <- names(coef(fit))[i + 1]
  keep("coef", name, -coef(fit)[[i + 1]] / scale)
  keep("se_plain", name, error(fit$naive.var)[i])
  keep("se", name, error(fit$var)[i])
}
keep("log_likelihood", "", fit$loglik[2])
place <- predict(fit, new, type = "lp")
for (t in c(10, 30, 60)) for (j in 1:3) keep("risk", paste(t, j), 1 - exp(-exp((log(t) - place[j]) / scale)))
write.csv(do.call(rbind, rows), "weibull_survreg.csv", row.names = FALSE, quote = FALSE)
