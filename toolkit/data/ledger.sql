-- Rows and signed money by fate and reason. What is not visible at $as_of yet is later; without $as_of nothing is.

-- block: orders
SELECT CASE WHEN later THEN 'later' ELSE fate_of(reason) END AS fate, CASE WHEN later THEN 'after as_of' ELSE reason END AS reason,
       CAST(SUM(lines) AS BIGINT), COALESCE(SUM(amount), 0), CAST(SUM(lines - lines_with_money) AS BIGINT)
FROM (SELECT *, COALESCE(late_day, day) > $as_of AS later FROM orders_days)
GROUP BY ALL

-- block: others
SELECT CASE WHEN later THEN 'later' ELSE log_fate(reason) END AS fate, CASE WHEN later THEN 'after as_of' ELSE reason END AS reason,
       CAST(SUM(lines) AS BIGINT), COALESCE(SUM(amount), 0), CAST(SUM(lines - lines_with_money) AS BIGINT)
FROM (SELECT *, day > $as_of AS later FROM {table}_days)
GROUP BY ALL
