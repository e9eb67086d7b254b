# Write power_r.csv: power, smallest effect and sample size of two-sample t-tests and tests of proportions by R.
# Run: Rscript tests/oracles/power_r.R  (from the project's folder; base R only)

rows <- list()
add <- function(what, n, delta, sd, level, value) {
  rows[[length(rows) + 1]] <<- data.frame(what = what, n = n, delta = delta, sd = sd, level = level,
                                          value = sprintf("%.15g", value))
}
for (n in c(3, 8, 20, 64, 500, 20000)) {
  for (level in c(0.05, 0.01)) {
    for (delta in c(0.02, 0.3, 1.2)) {
      add("power", n, delta, 1.7, level,
          power.t.test(n = n, delta = delta, sd = 1.7, sig.level = level, strict = TRUE)$power)
    }
    add("mde", n, NA, 1.7, level,
        power.t.test(n = n, power = 0.8, sd = 1.7, sig.level = level, strict = TRUE, tol = 1e-12)$delta)
  }
}
for (delta in c(0.3, 0.8, 2.5)) {
  for (level in c(0.05, 0.01)) {
    add("n", NA, delta, 1.7, level,
        power.t.test(delta = delta, power = 0.9, sd = 1.7, sig.level = level, strict = TRUE, tol = 1e-10)$n)
  }
}
write.csv(do.call(rbind, rows), "tests/oracles/power_r.csv", row.names = FALSE, quote = FALSE)
