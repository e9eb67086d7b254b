-- What is known of one customer ($customer_id) up to the end of the local day $as_of. Only rows in use that are visible then.

-- block: orders
-- an order or a refund is one act, whatever its lines; amounts add up to the customer's spend
SELECT MIN(ordered_at) AS moment, 'orders' AS source,
       CASE WHEN fate = 'used' THEN 'order' WHEN SUM(net) = 0 THEN 'order_undone' ELSE 'refund' END AS kind,
       string_agg(DISTINCT product_id, ', ' ORDER BY product_id) AS detail, CAST(SUM(net) AS DOUBLE) AS amount
FROM orders
WHERE customer_id = $customer_id AND visible_day <= $as_of AND fate IN ('used', 'refund')
GROUP BY COALESCE(order_id, concat_ws('|', source_file, source_row)), fate, day

-- block: events
SELECT occurred_at AS moment, 'events' AS source, COALESCE(kind, 'event') AS kind, COALESCE(content_id, channel) AS detail,
       CAST(NULL AS DOUBLE) AS amount
FROM events
WHERE customer_id = $customer_id AND visible_day <= $as_of AND fate = 'used'

-- block: contacts
SELECT sent_at AS moment, 'contacts' AS source,
       CASE WHEN opted_out THEN 'opted_out' WHEN delivered IS FALSE THEN 'not_delivered' WHEN opened THEN 'opened' ELSE 'sent' END AS kind,
       NULLIF(concat_ws(' · ', campaign_id, offer_kind, channel), '') AS detail, CAST(NULL AS DOUBLE) AS amount
FROM contacts
WHERE customer_id = $customer_id AND visible_day <= $as_of AND fate = 'used'

-- block: surveys
SELECT answered_at AS moment, 'surveys' AS source, COALESCE(kind, 'answer') AS kind,
       CASE WHEN score = FLOOR(score) THEN CAST(CAST(score AS BIGINT) AS VARCHAR) ELSE CAST(score AS VARCHAR) END AS detail,
       CAST(NULL AS DOUBLE) AS amount
FROM surveys
WHERE customer_id = $customer_id AND visible_day <= $as_of AND fate = 'used'

-- block: memberships
SELECT moment, 'memberships' AS source, kind, CAST(NULL AS VARCHAR) AS detail, CAST(NULL AS DOUBLE) AS amount
FROM (
    SELECT unnest([
        {'moment': starts_at, 'kind': 'membership_started'},
        {'moment': CASE WHEN cancelled_at IS NULL OR cancelled_at > ends_at THEN ends_at END, 'kind': 'membership_ended'},
        {'moment': cancelled_at, 'kind': 'membership_cancelled'}], recursive := TRUE)
    FROM memberships
    WHERE customer_id = $customer_id AND visible_day <= $as_of AND fate = 'used'
)
WHERE CAST(moment AS DATE) <= $as_of

-- block: assignments
SELECT assigned_at AS moment, 'assignments' AS source, 'assigned' AS kind, concat_ws(': ', experiment_id, arm) AS detail,
       CAST(NULL AS DOUBLE) AS amount
FROM assignments
WHERE customer_id = $customer_id AND visible_day <= $as_of AND fate = 'used'

-- block: customers
SELECT joined_at AS moment, 'customers' AS source, 'joined' AS kind, acquisition_channel AS detail, CAST(NULL AS DOUBLE) AS amount
FROM person
WHERE CAST(joined_at AS DATE) <= $as_of

-- block: person
SELECT * FROM customers
WHERE customer_id = $customer_id AND fate = 'used' AND (visible_day <= $as_of OR visible_day IS NULL)
ORDER BY visible_day DESC NULLS LAST, source_file DESC, source_row DESC
LIMIT 1

-- block: other_ids
SELECT people.id AS id_value, MIN(id_kind) AS id_kind
FROM people LEFT JOIN identities ON identities.id_value = people.id AND identities.fate = 'used'
WHERE people.person = $customer_id
GROUP BY people.id
ORDER BY id_kind NULLS LAST, id_value

-- block: person_of
SELECT COALESCE((SELECT MIN(person) FROM people WHERE id = clean_id($customer_id)), clean_id($customer_id))
