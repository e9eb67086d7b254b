# Expected numbers of tests/risk/test_curves.py and tests/risk/test_metrics.py, by R's package survival (3.5-3).
# python -c "from lifelines.datasets import load_rossi, load_leukemia as l; load_rossi().to_csv('rossi.csv'); l().to_csv('leukemia.csv')"
# Rscript km_uno_brier.R rossi.csv leukemia.csv > km_uno_brier.csv
suppressMessages(library(survival))
files <- commandArgs(trailingOnly = TRUE)
rossi <- read.csv(files[1])
leukemia <- read.csv(files[2])
say <- function(name, value) cat(sprintf("%s,%.15g\n", name, value), sep = "")
cat("name,value\n")

# Censoring, late entry and a competing event that follow from the columns, so that Python can make the same.
limit <- 10 + (rossi$age * 7 + rossi$prio * 3) %% 45
rossi$time <- pmin(rossi$week, limit)
rossi$status <- as.integer(rossi$arrest == 1 & rossi$week <= limit)
rossi$kind <- ifelse(rossi$status == 1 & rossi$prio >= 5, 2, rossi$status)
rossi$entry <- floor(rossi$time / 3) * (rossi$age %% 2)
rossi$risk <- 0.3 * rossi$prio - 0.05 * rossi$age
rossi$forecast <- plogis(-1.5 + 0.15 * rossi$prio - 0.04 * (rossi$age - 24))
group <- paste0(rossi$fin, rossi$race)

test <- survdiff(Surv(t, status) ~ Rx, leukemia)
say("leukemia.chisq", test$chisq)
say(paste0("leukemia.expected.", 0:1), test$exp)
test <- survdiff(Surv(time, status) ~ group, rossi)
say("rossi.chisq", test$chisq)
say(paste0("rossi.expected.", test$n * 0 + 0:3), test$exp)
rossi$apart <- rossi$time + rank(rossi$time, ties.method = "first") / 1e4
say("rossi.late.chisq", coxph(Surv(entry, apart, status) ~ group, rossi)$score)

curve <- function(name, fit, times) {
  found <- summary(fit, times = times)
  say(paste0(name, ".surv.", times), found$surv)
  say(paste0(name, ".lower.", times), found$lower)
  say(paste0(name, ".upper.", times), found$upper)
}
weeks <- c(5, 10, 20, 30, 45)
for (fin in 0:1) {
  part <- rossi[rossi$fin == fin, ]
  plain <- survfit(Surv(time, status) ~ 1, part, conf.type = "log-log")
  curve(paste0("km.", fin), plain, weeks)
  say(paste0("km.", fin, ".risk.", weeks), summary(plain, times = weeks)$n.risk)
  mean <- summary(plain, rmean = 40)$table
  say(paste0("rmst.", fin), mean["rmean"])
  say(paste0("rmst.se.", fin), mean["se(rmean)"])
  curve(paste0("late.", fin), survfit(Surv(entry, time, status) ~ 1, part, conf.type = "log-log"), weeks)
}
for (rx in 0:1) {
  plain <- survfit(Surv(t, status) ~ 1, leukemia[leukemia$Rx == rx, ], conf.type = "log-log")
  found <- summary(plain)$table
  say(paste0("median.", rx, c("", ".lower", ".upper")), found[c("median", "0.95LCL", "0.95UCL")])
}
both <- survfit(Surv(time, factor(kind)) ~ 1, rossi)
at <- summary(both, times = weeks)
say(paste0("aalen.", weeks), at$pstate[, 2])
say(paste0("aalen.se.", weeks), at$std.err[, 2])

say("harrell", concordance(Surv(time, status) ~ risk, rossi, reverse = TRUE)$concordance)
say("harrell.prio", concordance(Surv(time, status) ~ prio, rossi, reverse = TRUE)$concordance)
say("harrell.late", concordance(Surv(entry, time, status) ~ risk, rossi, reverse = TRUE)$concordance)
say("uno", concordance(Surv(time, status) ~ risk, rossi, reverse = TRUE, timewt = "n/G2")$concordance)
say("uno.30", concordance(Surv(time, status) ~ risk, rossi, reverse = TRUE, timewt = "n/G2", ymax = 30)$concordance)

# rttright: censored rows give their weight to those still there. Its rule for ties is ours, but it asks strictly more
# than the horizon of a censored row; a twentieth of a week is added to these.
horizon <- 30
later <- rossi$time + ifelse(rossi$status == 0, 0.05, 0)
weight <- rttright(Surv(later, status) ~ 1, rossi, times = horizon)
say("weight.sum", sum(weight))
happened <- rossi$status == 1 & rossi$time <= horizon
say("brier", sum(weight * (happened - rossi$forecast)^2) / sum(weight))
say("log_loss", -sum(weight * log(ifelse(happened, rossi$forecast, 1 - rossi$forecast))) / sum(weight))
pairs <- outer(rossi$forecast[happened], rossi$forecast[!happened], function(a, b) (a > b) + (a == b) / 2)
mass <- outer(weight[happened], weight[!happened])
say("auc", sum(pairs * mass) / sum(mass))

y <- as.integer(rossi$arrest == 1)
score <- qlogis(rossi$forecast)
robust <- function(fit) {
  x <- model.matrix(fit)
  bread <- vcov(fit)
  sqrt(diag(bread %*% crossprod(x * (y - fitted(fit))) %*% bread))
}
fit <- glm(y ~ score, binomial, control = list(epsilon = 1e-14))
say("slope", coef(fit)[2])
say("slope.se", robust(fit)[2])
fit <- glm(y ~ offset(score), binomial, control = list(epsilon = 1e-14))
say("intercept", coef(fit)[1])
say("intercept.se", robust(fit)[1])
smooth <- loess(y ~ forecast, data.frame(y, forecast = rossi$forecast), span = 0.75, degree = 2, surface = "direct")
say("ici", mean(abs(pmin(pmax(fitted(smooth), 0), 1) - rossi$forecast)))
