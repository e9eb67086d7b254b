-- Rows and signed money by fate and reason. What is not visible at $as_of yet is later; without $as_of nothing is.

-- block: orders
SELECT CASE WHEN later THEN 'later' ELSE fate_of(reason) END AS fate, CASE WHEN later THEN 'after as_of' ELSE reason END AS reason,
       CAST(SUM(lines) AS BIGINT), COALESCE(SUM(amount), 0), CAST(SUM(lines - lines_with_money) AS BIGINT)
FROM (SELECT *, COALESCE(late_day, day) > $as_of AS later FROM customer_days)
GROUP BY ALL

-- block: customers
SELECT CASE WHEN later THEN 'later' ELSE fate END AS fate, CASE WHEN later THEN 'after as_of' ELSE reason END AS reason,
       COUNT(*), CAST(0 AS DECIMAL(38, 4)), COUNT(*)
FROM (SELECT *, visible_day > $as_of AS later FROM customers)
GROUP BY ALL
