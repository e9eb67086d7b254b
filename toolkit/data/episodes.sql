-- What became of customers after a landmark. Customers stand as whole numbers here (the table codes), so that the features
-- of many landmarks are quick to ask; $until is the landmark, $last the day up to which is known what happened.

-- block: codes
SELECT customer_id AS id, CAST(ROW_NUMBER() OVER (ORDER BY customer_id) - 1 AS INTEGER) AS code
FROM (SELECT customer_id FROM {tables})
WHERE customer_id IS NOT NULL
GROUP BY customer_id

-- block: coded
SELECT codes.code AS customer_id, {columns}
FROM main.{table} AS rows {kind} codes ON rows.customer_id = codes.id
ORDER BY code, rows.day

-- block: coded_customers
SELECT codes.code AS customer_id, referrers.code AS referred_by, rows.* EXCLUDE (customer_id, referred_by)
FROM main.customers AS rows JOIN codes ON rows.customer_id = codes.id LEFT JOIN codes AS referrers ON rows.referred_by = referrers.id

-- block: coded_order_days
SELECT codes.code AS customer_id, rows.* EXCLUDE (customer_id)
FROM ({order_days}) AS rows JOIN codes ON rows.customer_id = codes.id
ORDER BY code, day

-- block: coded_visible
-- lines of an order that were known on one day, together; two orders of a customer share a number with odds of 1 in 10^19
SELECT code AS customer_id, hash(order_key_of(order_id, source_file, source_row)) AS order_key, rows.day, visible_day, order_day,
       MIN(ordered_at) AS ordered_at, CAST(SUM(paid) AS DECIMAL(38, 4)) AS paid, MAX(paid_for_one(order_day, paid, quantity)) AS price
FROM main.orders AS rows JOIN codes ON rows.customer_id = codes.id
WHERE fate <> 'quarantined' AND reason <> 'excluded_customer'
GROUP BY ALL
ORDER BY customer_id, rows.day

-- block: visible
SELECT * FROM coded_visible WHERE day <= $until AND visible_day <= $known

-- block: lost
SELECT code AS customer_id, MIN(day) AS lost_day
FROM ({lost}) AS said JOIN codes ON said.customer_id = codes.id
GROUP BY code

-- block: order
-- buyers at the landmark, and the next day with an order
SELECT customer_id, CAST($until AS DATE) AS start_day, MIN(order_day) FILTER (WHERE order_day > $until) AS event_day
FROM coded_order_days
WHERE known_day <= $last
GROUP BY customer_id
HAVING COUNT(order_day) FILTER (WHERE order_day <= $until AND known_day <= $until) > 0

-- block: end
-- members at the landmark, since when without a break, and the first day without cover
SELECT customer_id, first_day AS start_day, CASE WHEN last_day < $last THEN last_day + 1 END AS event_day
FROM spells
WHERE first_day <= $until AND last_day >= $until

-- block: spells
-- unbroken memberships as known on $last: periods that touch or overlap are one
SELECT customer_id, MIN(first_day) AS first_day, MAX(last_day) AS last_day
FROM (
    SELECT *, SUM(CASE WHEN first_day <= covered + 1 THEN 0 ELSE 1 END) OVER (PARTITION BY customer_id ORDER BY first_day, last_day) AS spell
    FROM (
        SELECT *, MAX(last_day) OVER (PARTITION BY customer_id ORDER BY first_day, last_day
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered
        FROM (
            SELECT code AS customer_id, day AS first_day,
                   LEAST(COALESCE(CAST(ends_at AS DATE), DATE '9999-12-30'),
                         COALESCE(CASE WHEN CAST(cancelled_at AS DATE) <= $last THEN CAST(cancelled_at AS DATE) - 1 END,
                                  DATE '9999-12-30')) AS last_day
            FROM main.memberships JOIN codes ON customer_id = id
            WHERE day <= $last AND reason = 'membership'
        )
        WHERE last_day >= first_day
    )
)
GROUP BY customer_id, spell

-- block: lost_reach
-- buyers at the landmark who could be reached, and the day on which they asked for no more messages
SELECT customer_id, CAST($until AS DATE) AS start_day, CASE WHEN lost_day <= $last THEN lost_day END AS event_day
FROM (SELECT DISTINCT customer_id FROM coded_order_days WHERE order_day <= $until AND known_day <= $until)
LEFT JOIN lost USING (customer_id)
WHERE lost_day IS NULL OR lost_day > $until

-- block: lost_in_contacts
SELECT customer_id, day FROM contacts_days WHERE opted_out AND reason = 'contact'

-- block: lost_in_events
SELECT customer_id, day FROM events_days WHERE unfollowed AND reason = 'event'

-- block: deleted
SELECT code, MIN(day) AS deleted_day
FROM main.events_days JOIN codes ON customer_id = id
WHERE deleted AND reason = 'event' AND day <= $last
GROUP BY code
