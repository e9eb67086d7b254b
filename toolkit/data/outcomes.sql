-- What each unit did over its own window, from $first_day to $last_day days after its start; rows of the table units: unit,
-- customer_id, start. Only rows visible at $as_of enter; a moment at the window's end is outside.

-- block: windows
SELECT unit, customer_id, start + to_days(CAST($first_day AS INTEGER)) AS first_moment, start + to_days(CAST($last_day AS INTEGER)) AS last_moment FROM units

-- block: orders
SELECT unit, {value} AS value
FROM windows JOIN (
    SELECT customer_id, ordered_at AS moment, order_day, net, order_key_of(order_id, source_file, source_row) AS order_key
    FROM orders
    WHERE day <= $as_of AND visible_day <= $as_of AND fate <> 'quarantined' AND reason <> 'excluded_customer'
) USING (customer_id)
WHERE moment >= first_moment AND moment < last_moment
GROUP BY unit

-- block: events
SELECT unit, {value} AS value
FROM windows JOIN (
    SELECT customer_id, occurred_at AS moment, kind FROM events WHERE day <= $as_of AND reason = 'event'
) USING (customer_id)
WHERE moment >= first_moment AND moment < last_moment
GROUP BY unit

-- block: contacts
SELECT unit, {value} AS value
FROM windows JOIN (
    SELECT customer_id, sent_at AS moment, campaign_id, delivered, opted_out FROM contacts WHERE day <= $as_of AND reason = 'contact'
) USING (customer_id)
WHERE moment >= first_moment AND moment < last_moment
GROUP BY unit

-- block: active
SELECT unit, COUNT(DISTINCT day) AS value
FROM windows JOIN ({acts}) USING (customer_id)
WHERE moment >= first_moment AND moment < last_moment
GROUP BY unit

-- block: acts_of_orders
SELECT customer_id, ordered_at AS moment, order_day AS day FROM orders WHERE order_day <= $as_of AND visible_day <= $as_of

-- block: acts_of_events
SELECT customer_id, occurred_at AS moment, day FROM events WHERE day <= $as_of AND reason = 'event' AND is_own_act(kind)

-- block: assignments
SELECT customer_id, arm, assigned_at, tier, cluster_id
FROM assignments
WHERE reason = 'assignment' AND day <= $as_of AND experiment_id = $experiment
ORDER BY assigned_at, customer_id, arm

-- block: experiments
SELECT DISTINCT experiment_id FROM assignments WHERE reason = 'assignment' AND day <= $as_of ORDER BY experiment_id
