# Writes sample_ratio.csv: counts of arms, planned shares, and the p-values of chisq.test, binom.test and p.adjust (holm).
# Rscript tests/oracles/sample_ratio.R tests/oracles/sample_ratio.csv
set.seed(20261130)
rows <- list()
for (case in 1:40) {
  arms <- if (case %% 2) 2 else 3
  share <- if (arms == 2) c(0.5, 0.5) else c(0.5, 0.3, 0.2)
  if (case %% 4 == 3) share <- c(0.95, 0.05)
  total <- c(12, 60, 400, 2000, 50000)[case %% 5 + 1]
  off <- share + c(1, rep(-1 / (arms - 1), arms - 1)) * (case %% 3) * 0.02
  n <- as.vector(rmultinom(1, total, off))
  exact <- min(sapply(1:arms, function(a) binom.test(n[a], total, share[a])$p.value))
  rows[[case]] <- data.frame(
    case = case, arm = letters[1:arms], n = n, share = share,
    chisq = suppressWarnings(chisq.test(n, p = share)$p.value),
    binom = if (arms == 2) binom.test(n[1], total, share[1])$p.value else min(1, arms * exact)
  )
}
found <- do.call(rbind, rows)
each <- found[!duplicated(found$case), ]
found$holm <- p.adjust(each$chisq, "holm")[match(found$case, each$case)]
write.csv(format(found, digits = 15), commandArgs(TRUE)[1], row.names = FALSE, quote = FALSE)
