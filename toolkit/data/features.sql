-- Clean rows -> one row per customer at $as_of. Days are local days; money and seconds are exact until the last line.
-- Only rows dated up to $until and recorded by $known enter, mostly both $as_of, where the clock stands: windows and recency
-- end there, and the window is the last $window_days days up to it.

-- block: visible
-- Hidden rows stay in, without a customer, and leave after grouping: a WHERE here would be pushed into the gate, which
-- then evaluates its expressions once for the filter and once more for the values.
SELECT
    CASE WHEN shown THEN customer_id END AS customer_id,
    CASE WHEN shown THEN order_key_of(order_id, source_file, source_row) END AS order_key,
    ordered_at, order_day, paid, paid_for_one(order_day, paid, quantity) AS price
FROM (SELECT *, day <= $until AND visible_day <= $known AND fate <> 'quarantined' AND reason <> 'excluded_customer' AS shown FROM orders)

-- block: order_days
-- what a customer's order lines and refunds of a day come to
SELECT customer_id, day, COALESCE(late_day, day) AS known_day, CASE WHEN is_used(reason) THEN day END AS order_day,
       CASE WHEN is_used(reason) THEN amount ELSE 0 END AS paid, net_of(reason, amount) AS net, refunded_of(reason, amount) AS refunded
FROM orders_days
WHERE customer_id IS NOT NULL AND fate_of(reason) <> 'quarantined' AND reason <> 'excluded_customer'

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
FROM order_days
WHERE day <= $until AND known_day <= $known
GROUP BY customer_id

-- block: repeats
-- paid on order days after the first
SELECT customer_id, CAST(SUM(paid) - MIN_BY(paid, order_day) AS DECIMAL(38, 4)) AS repeat_spend
FROM (
    SELECT customer_id, order_day, CAST(SUM(paid) AS DECIMAL(38, 4)) AS paid
    FROM order_days
    WHERE order_day <= $until AND known_day <= $known
    GROUP BY customer_id, order_day
)
GROUP BY customer_id

-- block: repeats_of_days
SELECT customer_id, CAST(SUM(paid) - MIN_BY(paid, order_day) AS DECIMAL(38, 4)) AS repeat_spend
FROM order_days
WHERE order_day <= $until AND known_day <= $known
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
           MAX(price) AS max_price,
           MIN(ordered_at) FILTER (WHERE order_day IS NOT NULL) AS ordered_at
    FROM visible
    GROUP BY customer_id, order_key
    HAVING COUNT(order_day) > 0
)
GROUP BY customer_id
HAVING COUNT(customer_id) > 0

-- block: people
-- the row that holds at $until; who asked for no more messages under another id has asked too
SELECT customer_id, CAST(joined_at AS DATE) AS joined_date, acquisition_channel, persona, gender, age_band, region,
       occupation, interests, followers, override, opted_out OR customer_id IN (
           SELECT customer_id FROM customers
           WHERE reason = 'other_id' AND opted_out AND (visible_day <= $until OR visible_day IS NULL)) AS opted_out
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY visible_day DESC NULLS LAST, valid_from DESC NULLS LAST) AS latest
    FROM customers
    WHERE fate = 'used' AND (visible_day <= $until OR visible_day IS NULL)
)
WHERE latest = 1

-- block: referrals
-- a customer counts for the referrer that was named last
SELECT referred_by AS customer_id, COUNT(*) AS referrals
FROM (
    SELECT referred_by, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY visible_day DESC NULLS LAST, valid_from DESC NULLS LAST) AS latest
    FROM customers
    WHERE fate = 'used' AND (visible_day <= $until OR visible_day IS NULL) AND referred_by IS NOT NULL AND referred_by <> customer_id
)
WHERE latest = 1
GROUP BY referred_by

-- block: discounts
SELECT customer_id, 1 - CAST(SUM(paid) AS DOUBLE) / CAST(SUM(listed) AS DOUBLE) AS discount_share
FROM (
    SELECT customer_id, paid,
           TRY_CAST(CAST(list_price AS DOUBLE) * CASE WHEN quantity > 0 THEN quantity ELSE 1 END AS DECIMAL(18, 4)) AS listed
    FROM orders
    WHERE order_day > $window_start AND day <= $until AND visible_day <= $known AND list_price > 0 AND paid > 0
)
GROUP BY customer_id

-- block: bands
-- what was paid in the window by the price of one unit, the list price where there is one; at a cut is still below it
SELECT customer_id,
       CAST(SUM(lines) AS BIGINT) AS lines,
       CAST(COALESCE(SUM(lines) FILTER (WHERE band = 3), 0) AS DOUBLE) / SUM(lines) AS high_band_share,
       CAST(COALESCE(SUM(lines) FILTER (WHERE band = 1), 0) AS DOUBLE) / SUM(lines) AS low_band_share,
       MAX_BY(band, STRUCT_PACK(a := paid, b := band)) AS main_band
FROM (
    SELECT customer_id, band, COUNT(*) AS lines, CAST(SUM(paid) AS DECIMAL(38, 4)) AS paid
    FROM (
        SELECT customer_id, paid, CASE WHEN price > $high_cut THEN 3 WHEN price > $low_cut THEN 2 ELSE 1 END AS band
        FROM (
            SELECT customer_id, paid, unit_price(paid, quantity, list_price) AS price
            FROM orders
            WHERE order_day > $window_start AND day <= $until AND visible_day <= $known AND paid > 0
        )
    )
    GROUP BY customer_id, band
)
GROUP BY customer_id

-- block: price_cuts
-- terciles of what the products bought in the window cost, each once; a line without a product is one of its own
WITH priced AS (
    SELECT product_id, unit_price(paid, quantity, list_price) AS price
    FROM orders
    WHERE order_day > $window_start AND day <= $until AND visible_day <= $known AND paid > 0
)
SELECT quantile_cont(price, [1/3, 2/3]) AS cuts
FROM (
    SELECT MEDIAN(price) AS price FROM priced WHERE product_id IS NOT NULL GROUP BY product_id
    UNION
    SELECT price FROM priced WHERE product_id IS NULL
)

-- block: layers
-- a lead-in course may cost nothing, so lines of zero count whatever the policy for orders says
SELECT customer_id, MAX_BY(layer, place) AS top_layer,
       MIN_BY(product_id, STRUCT_PACK(a := day, b := product_id)) FILTER (WHERE place = 1 AND product_id IS NOT NULL) AS lead_in_product
FROM orders JOIN layer_words ON lower(product_layer) = word
WHERE day <= $until AND visible_day <= $known AND reason IN ('order', 'zero_order', 'zero_order_counted')
GROUP BY customer_id

-- block: others
SELECT customer_id, day FROM first_seen WHERE day <= $until

-- block: events
SELECT
    customer_id,
    MAX(day) FILTER (WHERE acts > 0) AS last_active_date,
    COUNT(*) FILTER (WHERE acts > 0 AND day > $window_start) AS active_days,
    COUNT(*) FILTER (WHERE acts > 0 AND day > $last_30) AS active_days_30d,
    CAST(SUM(interactions) FILTER (WHERE day > $window_start) AS BIGINT) AS interactions,
    CAST(SUM(interactions) FILTER (WHERE day > $last_30) AS BIGINT) AS interactions_30d,
    CAST(SUM(opens) FILTER (WHERE day > $window_start) AS BIGINT) AS opens,
    CAST(SUM(opens) FILTER (WHERE day > $last_30) AS BIGINT) AS opens_30d,
    CAST(SUM(seconds) FILTER (WHERE day > $last_30) AS DOUBLE) AS stay_seconds_30d,
    BOOL_OR(unfollowed) AS unfollowed
FROM events_days
WHERE day <= $until AND reason = 'event'
GROUP BY customer_id

-- block: lessons
SELECT customer_id, COUNT(*) AS lessons_started, COUNT(*) FILTER (WHERE completed_day <= $until) AS lessons_completed
FROM lessons
WHERE day <= $until
GROUP BY customer_id

-- block: intent
-- priced things looked at in the last 30 days and not ordered from that day on; a price stands in the event or in the orders
SELECT customer_id, COUNT(*) AS intent_30d
FROM (
    SELECT customer_id, content_id, MIN(day) AS first_look
    FROM (
        SELECT customer_id, content_id, day, value
        FROM events
        WHERE day > $last_30 AND day <= $until AND reason = 'event' AND kind IN ('view', 'click') AND content_id IS NOT NULL
    )
    WHERE value > 0 OR content_id IN (SELECT product_id FROM orders WHERE paid > 0 AND day <= $until AND visible_day <= $known)
    GROUP BY customer_id, content_id
) AS looked
WHERE NOT EXISTS (
    SELECT 1 FROM orders
    WHERE orders.customer_id = looked.customer_id AND orders.product_id = looked.content_id
          AND orders.order_day >= looked.first_look AND orders.order_day <= $until AND orders.visible_day <= $known)
GROUP BY customer_id

-- block: contacts
SELECT
    customer_id,
    CAST(SUM(delivered) FILTER (WHERE day > $last_7) AS BIGINT) AS contacts_7d,
    CAST(SUM(delivered) FILTER (WHERE day > $last_30) AS BIGINT) AS contacts_30d,
    CAST(SUM(delivered) FILTER (WHERE day > $last_90) AS BIGINT) AS contacts_90d,
    CAST(SUM(opened) FILTER (WHERE day > $last_7) AS BIGINT) AS contact_opens_7d,
    CAST(SUM(opened) FILTER (WHERE day > $last_30) AS BIGINT) AS contact_opens_30d,
    CAST(SUM(opened) FILTER (WHERE day > $last_90) AS BIGINT) AS contact_opens_90d,
    DATE_DIFF('day', MAX(day) FILTER (WHERE delivered > 0), $as_of) AS days_since_contact,
    CAST(SUM(offers) AS BIGINT) AS offers,
    BOOL_OR(opted_out) AS opted_out
FROM contacts_days
WHERE day <= $until AND reason = 'contact'
GROUP BY customer_id

-- block: surveys
SELECT customer_id,
       MAX_BY(score, STRUCT_PACK(a := answered_at, b := score)) AS last_nps,
       DATE_DIFF('day', MAX(day), $as_of) AS days_since_nps
FROM surveys
WHERE day <= $until AND reason = 'answer' AND kind = 'nps'
GROUP BY customer_id

-- block: memberships
-- a period ends with its last day, or on the day of an earlier cancellation; one without an end goes on
SELECT customer_id, MAX(last_day) AS last_day
FROM (
    SELECT customer_id,
           LEAST(COALESCE(CAST(ends_at AS DATE), DATE '9999-12-31'),
                 COALESCE(CASE WHEN CAST(cancelled_at AS DATE) <= $until THEN CAST(cancelled_at AS DATE) END - INTERVAL 1 DAY,
                          DATE '9999-12-31')) AS last_day
    FROM memberships
    WHERE day <= $until AND reason = 'membership'
)
GROUP BY customer_id

-- block: trials
SELECT customer_id
FROM orders_days
WHERE day <= $until AND COALESCE(late_day, day) <= $known AND reason IN ('zero_order', 'zero_order_counted')
GROUP BY customer_id

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
repeat_spend = COALESCE(CAST(repeats_of.repeat_spend AS DOUBLE), 0)
joined_date = people.joined_date
acquisition_channel = people.acquisition_channel
persona = people.persona
gender = people.gender
age_band = people.age_band
region = people.region
occupation = people.occupation
interests = people.interests
followers = people.followers
override = people.override
last_active_date = events_of.last_active_date
active_days = COALESCE(events_of.active_days, 0)
active_days_30d = COALESCE(events_of.active_days_30d, 0)
interactions = COALESCE(events_of.interactions, 0)
interactions_30d = COALESCE(events_of.interactions_30d, 0)
interaction_rate = events_of.interactions / NULLIF(events_of.active_days, 0)
opens = COALESCE(events_of.opens, 0)
opens_30d = COALESCE(events_of.opens_30d, 0)
stay_seconds_30d = COALESCE(events_of.stay_seconds_30d, 0)
lessons_started = COALESCE(lessons_of.lessons_started, 0)
lessons_completed = COALESCE(lessons_of.lessons_completed, 0)
completion_rate = lessons_of.lessons_completed / lessons_of.lessons_started
intent_30d = COALESCE(intent_of.intent_30d, 0)
contacts_7d = COALESCE(contacts_of.contacts_7d, 0)
contacts_30d = COALESCE(contacts_of.contacts_30d, 0)
contacts_90d = COALESCE(contacts_of.contacts_90d, 0)
contact_opens_7d = COALESCE(contacts_of.contact_opens_7d, 0)
contact_opens_30d = COALESCE(contacts_of.contact_opens_30d, 0)
contact_opens_90d = COALESCE(contacts_of.contact_opens_90d, 0)
days_since_contact = contacts_of.days_since_contact
offers = COALESCE(contacts_of.offers, 0)
opted_out = {opted_out}
idle_days = DATE_DIFF('day', COALESCE(GREATEST({last_act}), LEAST({first_seen})), $as_of)
top_layer = layers_of.top_layer
lead_in_product = layers_of.lead_in_product
lines = COALESCE(bands_of.lines, 0)
main_price_band = CASE bands_of.main_band WHEN 3 THEN 'high' WHEN 2 THEN 'mid' WHEN 1 THEN 'low' END
high_band_share = bands_of.high_band_share
low_band_share = bands_of.low_band_share
last_nps = surveys_of.last_nps
days_since_nps = surveys_of.days_since_nps
membership_state = CASE WHEN memberships_of.last_day >= $as_of THEN 'member' WHEN memberships_of.last_day IS NOT NULL THEN 'lapsed' WHEN trials_of.customer_id IS NOT NULL THEN 'trial' ELSE 'prospect' END
membership_end_date = NULLIF(memberships_of.last_day, DATE '9999-12-31')
referrals = COALESCE(referrals_of.referrals, 0)
discount_share = CASE WHEN discounts_of.discount_share < 0 THEN 0 ELSE discounts_of.discount_share END
