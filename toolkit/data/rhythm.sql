-- Who acts again, and when: per period, and by age since a start. Only rows visible at $as_of; money is exact.

-- block: first_day
SELECT MIN(day) FROM orders_days WHERE COALESCE(late_day, day) <= $as_of AND customer_id IS NOT NULL AND is_used(reason)

-- block: accounting
-- $days says which period (from 1 on) a day falls into; earlier days are period 0. A customer with money but no order in a
-- period (a refund) is no buyer of it.
WITH acts AS (
    SELECT customer_id, COALESCE(period, 0) AS period, MAX(used) AS bought, SUM(net) AS spend
    FROM (
        SELECT customer_id, day, CASE WHEN is_used(reason) THEN 1 ELSE 0 END AS used, net_of(reason, amount) AS net
        FROM orders_days
        WHERE COALESCE(late_day, day) <= $as_of AND day <= $last AND customer_id IS NOT NULL
              AND fate_of(reason) IN ('used', 'refund')
    ) AS rows
    LEFT JOIN (SELECT unnest($days) AS day, unnest($periods) AS period) AS calendar USING (day)
    GROUP BY customer_id, COALESCE(period, 0)
),
buys AS (
    SELECT period, spend,
           LAG(period) OVER (PARTITION BY customer_id ORDER BY period) AS earlier,
           LEAD(period) OVER (PARTITION BY customer_id ORDER BY period) AS later
    FROM acts
    WHERE bought = 1
),
idle AS (SELECT period, SUM(spend) AS spend FROM acts WHERE bought = 0 GROUP BY period)
SELECT period,
       COUNT(buys.spend) AS active,
       COUNT(*) FILTER (buys.spend IS NOT NULL AND earlier IS NULL) AS new,
       COUNT(*) FILTER (earlier = period - 1) AS retained,
       COUNT(*) FILTER (earlier < period - 1) AS resurrected,
       COUNT(*) FILTER (buys.spend IS NOT NULL AND COALESCE(later, period + 2) > period + 1) AS leaving,
       COALESCE(SUM(buys.spend), 0) AS spend_active,
       COALESCE(SUM(buys.spend) FILTER (earlier IS NULL), 0) AS spend_new,
       COALESCE(SUM(buys.spend) FILTER (earlier = period - 1), 0) AS spend_retained,
       COALESCE(SUM(buys.spend) FILTER (earlier < period - 1), 0) AS spend_resurrected,
       COALESCE(SUM(buys.spend) FILTER (COALESCE(later, period + 2) > period + 1), 0) AS spend_leaving,
       COALESCE(MAX(idle.spend), 0) AS spend_idle
FROM buys FULL JOIN idle USING (period)
GROUP BY period

-- block: starts_first_order
SELECT customer_id, MIN(day) AS start
FROM orders_days
WHERE COALESCE(late_day, day) <= $as_of AND customer_id IS NOT NULL AND is_used(reason)
GROUP BY customer_id

-- block: starts_joined
-- the day in the row that holds at $as_of
SELECT customer_id, start
FROM (
    SELECT customer_id, CAST(joined_at AS DATE) AS start,
           ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY visible_day DESC NULLS LAST, valid_from DESC NULLS LAST) AS latest
    FROM customers
    WHERE fate = 'used' AND (visible_day <= $as_of OR visible_day IS NULL)
)
WHERE latest = 1 AND start <= $as_of

-- block: starts_membership
SELECT customer_id, MIN(day) AS start FROM memberships WHERE day <= $as_of AND reason = 'membership' GROUP BY customer_id

-- block: acts_order
SELECT DISTINCT customer_id, day FROM orders_days
WHERE COALESCE(late_day, day) <= $as_of AND customer_id IS NOT NULL AND is_used(reason)

-- block: acts_event
SELECT DISTINCT customer_id, day FROM events_days WHERE day <= $as_of AND reason = 'event' AND acts > 0

-- block: periods
-- first and last day; a period ends with its last day, or on the day before a cancellation known at $as_of
SELECT customer_id, day AS first_day,
       LEAST(COALESCE(CAST(ends_at AS DATE), DATE '9999-12-31'),
             COALESCE(CASE WHEN CAST(cancelled_at AS DATE) <= $as_of THEN CAST(cancelled_at AS DATE) END - INTERVAL 1 DAY,
                      DATE '9999-12-31')) AS last_day
FROM memberships
WHERE day <= $as_of AND reason = 'membership'

-- block: age_month
-- whole months; where a month is too short, its last day stands for the missing ones
(YEAR(day) - YEAR(start)) * 12 + MONTH(day) - MONTH(start) - CASE WHEN DAY(day) < LEAST(DAY(start), DAY(LAST_DAY(day))) THEN 1 ELSE 0 END

-- block: age_week
FLOOR(DATE_DIFF('day', start, day) / 7)

-- block: age_day
DATE_DIFF('day', start, day)

-- block: sizes
SELECT CAST(DATE_TRUNC('{cohort}', start) AS DATE) AS cohort, COUNT(*) AS customers FROM ({starts}) GROUP BY ALL

-- block: acted
SELECT cohort, age, COUNT(*) AS active
FROM (
    SELECT DISTINCT customer_id, CAST(DATE_TRUNC('{cohort}', start) AS DATE) AS cohort, CAST({age} AS INTEGER) AS age
    FROM ({starts}) AS began JOIN ({acts}) AS acts USING (customer_id)
    WHERE day >= start
)
WHERE list_contains($ages, age)
GROUP BY ALL

-- block: covered
-- whether a period covers the day on which the customer reaches an age
SELECT cohort, age, COUNT(*) AS active
FROM (
    SELECT DISTINCT customer_id, CAST(DATE_TRUNC('{cohort}', start) AS DATE) AS cohort, age
    FROM (
        SELECT customer_id, start, age, CAST(start + {step} AS DATE) AS reached
        FROM ({starts}) AS began, (SELECT unnest($ages) AS age) AS ages
    ) AS reached
    JOIN ({periods}) AS periods USING (customer_id)
    WHERE reached BETWEEN first_day AND last_day
)
GROUP BY ALL
