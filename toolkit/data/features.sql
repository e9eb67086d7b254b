-- Clean rows -> one row per customer at $as_of. Days are local days; money is exact until the last line.
-- Only rows visible at $as_of enter; the window is the last $window_days days up to $as_of.

-- block: visible
-- Hidden rows stay in, without a customer, and leave after grouping: a WHERE here would be pushed into the gate, which
-- then evaluates its expressions once for the filter and once more for the values.
SELECT
    CASE WHEN shown THEN customer_id END AS customer_id,
    CASE WHEN shown THEN COALESCE(order_id, concat_ws('|', source_file, source_row)) END AS order_key,
    ordered_at, order_day, quantity, paid
FROM (SELECT *, visible_day <= $as_of AND fate <> 'quarantined' AND reason <> 'excluded_customer' AS shown FROM orders)

-- block: days
SELECT
    customer_id,
    MIN(order_day) AS first_order_date,
    MAX(order_day) AS last_order_date,
    COUNT(DISTINCT order_day) AS order_days,
    COUNT(DISTINCT order_day) FILTER (WHERE order_day > $window_start) AS window_order_days,
    CAST(SUM(net) AS DECIMAL(38, 4)) AS spend,
    CAST(SUM(net) FILTER (WHERE day > $window_start) AS DECIMAL(38, 4)) AS window_spend,
    CAST(SUM(refunded) AS DECIMAL(38, 4)) AS refund_amount
FROM (
    SELECT customer_id, day, CASE WHEN is_used(reason) THEN day END AS order_day,
           net_of(reason, amount) AS net, refunded_of(reason, amount) AS refunded
    FROM customer_days
    WHERE COALESCE(late_day, day) <= $as_of AND customer_id IS NOT NULL
          AND fate_of(reason) <> 'quarantined' AND reason <> 'excluded_customer'
)
GROUP BY customer_id

-- block: orders
SELECT
    customer_id,
    COUNT(*) AS order_count,
    CAST(SUM(value) AS DECIMAL(38, 4)) AS paid,
    MAX(max_price) AS max_price,
    MAX_BY(value, STRUCT_PACK(a := ordered_at, b := value)) AS last_order_value
FROM (
    SELECT customer_id, order_key, CAST(SUM(paid) AS DECIMAL(38, 4)) AS value,
           MAX(CASE WHEN order_day IS NOT NULL THEN CAST(paid AS DOUBLE) / COALESCE(NULLIF(quantity, 0), 1) END) AS max_price,
           MIN(ordered_at) FILTER (WHERE order_day IS NOT NULL) AS ordered_at
    FROM visible
    GROUP BY customer_id, order_key
    HAVING COUNT(order_day) > 0
)
GROUP BY customer_id
HAVING COUNT(customer_id) > 0

-- block: people
SELECT customer_id, CAST(joined_at AS DATE) AS joined_date, acquisition_channel, persona, gender, age_band, region
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY visible_day DESC NULLS LAST, source_file DESC, source_row DESC) AS latest
    FROM customers
    WHERE fate = 'used' AND (visible_day <= $as_of OR visible_day IS NULL)
)
WHERE latest = 1

-- block: columns
first_order_date = days.first_order_date
last_order_date = days.last_order_date
recency_days = DATE_DIFF('day', days.last_order_date, $as_of)
tenure_days = DATE_DIFF('day', days.first_order_date, $as_of)
order_count = COALESCE(orders_of.order_count, 0)
order_days = COALESCE(days.order_days, 0)
spend = COALESCE(CAST(days.spend AS DOUBLE), 0)
window_order_days = COALESCE(days.window_order_days, 0)
window_spend = COALESCE(CAST(days.window_spend AS DOUBLE), 0)
mean_order_value = CAST(orders_of.paid AS DOUBLE) / NULLIF(orders_of.order_count, 0)
last_order_value = CAST(orders_of.last_order_value AS DOUBLE)
max_price = orders_of.max_price
refund_amount = COALESCE(CAST(days.refund_amount AS DOUBLE), 0)
mean_gap_days = DATE_DIFF('day', days.first_order_date, days.last_order_date) / NULLIF(days.order_days - 1, 0)
joined_date = people.joined_date
acquisition_channel = people.acquisition_channel
persona = people.persona
gender = people.gender
age_band = people.age_band
region = people.region
