-- What groups of customers buy, read and say, and when: rows dated after $since and visible at $as_of. `grouped` gives each
-- customer a number and the code of a group. Money, seconds and scores are added up exactly.

-- block: products
SELECT code, product_id AS what, COUNT(DISTINCT who) AS customers, COUNT(*) AS lines,
       CAST(CAST(SUM(paid) AS DECIMAL(38, 4)) AS DOUBLE) AS spend
FROM orders JOIN grouped USING (customer_id)
WHERE order_day > $since AND day <= $as_of AND visible_day <= $as_of AND product_id IS NOT NULL
GROUP BY code, product_id

-- block: products_all
SELECT code, COUNT(DISTINCT who) AS customers, CAST(CAST(SUM(paid) AS DECIMAL(38, 4)) AS DOUBLE) AS spend
FROM orders JOIN grouped USING (customer_id)
WHERE order_day > $since AND day <= $as_of AND visible_day <= $as_of AND product_id IS NOT NULL
GROUP BY code

-- block: content
SELECT code, content_id AS what, COUNT(DISTINCT who) AS customers, COUNT(*) AS acts,
       CAST(SUM(TRY_CAST(duration_seconds AS DECIMAL(18, 3))) AS DOUBLE) AS seconds
FROM events JOIN grouped USING (customer_id)
WHERE day > $since AND day <= $as_of AND reason = 'event' AND is_own_act(kind) AND content_id IS NOT NULL
GROUP BY code, content_id

-- block: content_all
SELECT code, COUNT(DISTINCT who) AS customers
FROM events JOIN grouped USING (customer_id)
WHERE day > $since AND day <= $as_of AND reason = 'event' AND is_own_act(kind) AND content_id IS NOT NULL
GROUP BY code

-- block: order_hours
-- an order is one act, whatever its lines, at the time of the first
SELECT code, 'order' AS kind, CAST(HOUR(moment) AS INTEGER) AS hour, COUNT(DISTINCT who) AS customers, COUNT(*) AS acts,
       COUNT(*) FILTER (CAST(moment AS TIME) <> TIME '00:00:00') AS timed
FROM (
    SELECT code, who, MIN(ordered_at) AS moment
    FROM orders JOIN grouped USING (customer_id)
    WHERE order_day > $since AND day <= $as_of AND visible_day <= $as_of
    GROUP BY code, who, COALESCE(order_id, concat_ws('|', source_file, source_row))
)
GROUP BY ALL

-- block: event_hours
SELECT code, COALESCE(kind, 'event') AS kind, CAST(HOUR(occurred_at) AS INTEGER) AS hour, COUNT(DISTINCT who) AS customers, COUNT(*) AS acts,
       COUNT(*) FILTER (CAST(occurred_at AS TIME) <> TIME '00:00:00') AS timed
FROM events JOIN grouped USING (customer_id)
WHERE day > $since AND day <= $as_of AND reason = 'event' AND is_own_act(kind)
GROUP BY ALL

-- block: content_hours
SELECT code, content_id AS what, CAST(HOUR(occurred_at) AS INTEGER) AS hour, COUNT(DISTINCT who) AS customers, COUNT(*) AS acts
FROM events JOIN grouped USING (customer_id)
WHERE day > $since AND day <= $as_of AND reason = 'event' AND is_own_act(kind)
      AND list_contains($whats, content_id)
GROUP BY ALL

-- block: service
-- a complaint waits for the first reply to the same customer that is not earlier; code -1 is everybody
SELECT COALESCE(code, -1) AS code, COUNT(*) AS complaints, COUNT(DISTINCT who) AS customers, COUNT(reply_at) AS answered,
       MEDIAN(DATE_DIFF('second', occurred_at, reply_at)) / 3600 AS median_reply_hours
FROM (
    SELECT code, who, day, kind, occurred_at,
           MIN(CASE WHEN kind = 'reply' THEN occurred_at END) OVER (
               PARTITION BY who ORDER BY occurred_at RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS reply_at
    FROM events JOIN grouped USING (customer_id)
    WHERE kind IN ('complaint', 'reply') AND day > $since AND day <= $as_of AND reason = 'event'
)
WHERE kind = 'complaint'
GROUP BY GROUPING SETS ((code), ())
HAVING COUNT(*) > 0

-- block: surveys
SELECT code, COALESCE(kind, 'answer') AS kind, COUNT(DISTINCT who) AS customers, COUNT(*) AS answers,
       CAST(SUM(TRY_CAST(score AS DECIMAL(18, 3))) AS DOUBLE) / COUNT(*) AS mean_score
FROM surveys JOIN grouped USING (customer_id)
WHERE day > $since AND day <= $as_of AND reason = 'answer'
GROUP BY ALL

-- block: period
-- what each customer did in the period, the service's answers left out; came_after: an act on or after the day of the first message
WITH acts AS ({acts}),
messages AS ({messages}),
bought AS (
    SELECT customer_id, COUNT(DISTINCT COALESCE(order_id, concat_ws('|', source_file, source_row))) AS orders
    FROM orders
    WHERE order_day > $since AND day <= $as_of AND visible_day <= $as_of AND customer_id IS NOT NULL
    GROUP BY customer_id
),
paid AS (
    SELECT customer_id, CAST(CAST(SUM(net_of(reason, amount)) AS DECIMAL(38, 4)) AS DOUBLE) AS spend
    FROM orders_days
    WHERE day > $since AND day <= $as_of AND COALESCE(late_day, day) <= $as_of AND customer_id IS NOT NULL
          AND fate_of(reason) IN ('used', 'refund')
    GROUP BY customer_id
),
active AS (SELECT customer_id, MAX(day) AS last_act FROM acts WHERE day > $since GROUP BY customer_id)
SELECT customer_id, COALESCE(orders, 0) AS orders, COALESCE(spend, 0) AS spend, last_act IS NOT NULL AS active,
       first_message IS NOT NULL AS contacted, COALESCE(last_act >= first_message, FALSE) AS came_after
FROM active FULL JOIN bought USING (customer_id) FULL JOIN paid USING (customer_id) FULL JOIN messages USING (customer_id)
ORDER BY customer_id

-- block: messages
SELECT customer_id, MIN(day) AS first_message
FROM contacts_days
WHERE day > $since AND day <= $as_of AND reason = 'contact' AND delivered > 0
GROUP BY customer_id

-- block: no_messages
SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST(NULL AS DATE) AS first_message WHERE FALSE

-- block: newcomers
-- those who joined after $since, at each age whose day is over
SELECT age, COUNT(*) AS customers, COUNT(acts.customer_id) AS active
FROM ({starts}) AS began
JOIN (SELECT unnest($ages) AS age) AS ages ON start + to_days(CAST(age AS INTEGER)) <= $as_of
LEFT JOIN (SELECT DISTINCT * FROM ({acts})) AS acts
       ON acts.customer_id = began.customer_id AND acts.day = start + to_days(CAST(age AS INTEGER))
WHERE start > $since
GROUP BY age

-- block: costs
SELECT channel, CAST(CAST(SUM(amount) AS DECIMAL(38, 4)) AS DOUBLE) AS cost
FROM costs
WHERE day > $since AND day <= $as_of AND fate = 'used'
GROUP BY channel
