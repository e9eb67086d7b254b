# Expected numbers of tests/published/test_oulad_survival.py, by R's package survival (3.5-3).
# Rscript km_oulad.R oulad.csv > km_oulad.csv, where oulad.csv holds the test's fixture `enrolments`:
# duration_days, event, entry_days of each enrolment with a registration date.
suppressMessages(library(survival))
data <- read.csv(commandArgs(trailingOnly = TRUE)[1])
days <- c(7, 30, 90, 180, 300)
seen <- data[data$duration_days > data$entry_days, ]
cat("estimate,day,survival,lower,upper\n")
say <- function(name, fit) {
  at <- summary(fit, times = days)
  cat(sprintf("%s,%g,%.15g,%.15g,%.15g\n", name, days, at$surv, at$lower, at$upper), sep = "")
}
say("whole", survfit(Surv(duration_days, event) ~ 1, data, conf.type = "log-log"))
say("late_entry", survfit(Surv(entry_days, duration_days, event) ~ 1, seen, conf.type = "log-log"))
say("naive", survfit(Surv(duration_days, event) ~ 1, seen, conf.type = "log-log"))
