-- The other tables: exports -> clean rows, each with a reason and a fate. `<table>` is the clean table, `<table>_days` what the
-- ledger and the snapshot need of it, summed once. Amounts and days are NULL where a table has none.

-- block: customers
SELECT
    customer_id, joined_at, acquisition_channel, acquisition_cost, persona, gender, age_band, region, occupation, interests,
    followers, override, referred_by, opted_out, valid_from, visible_day AS day, visible_day, source_file, source_row, reason, repaired,
    log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, customer_id),
            CASE WHEN customer_id IS NULL THEN CASE WHEN is_footer(first_cell) THEN 'footer' ELSE 'missing_customer_id' END END,
            CASE WHEN opted_out_fault IS NOT NULL AND NOT id_lost THEN opted_out_fault END,
            customer_fault(customer_id, id_lost),
            CASE WHEN visible_day > CAST(getvariable('customers_exported_at') AS DATE) THEN 'after_export' END,
            repeat,
            'customer') AS reason
    FROM (SELECT *, CAST(COALESCE(valid_from, joined_at) AS DATE) AS visible_day FROM customers_read)
)

-- block: events
SELECT customer_id, occurred_at, COALESCE(word, kind) AS kind, channel, content_id, value,
       CASE WHEN duration_seconds >= 0 THEN duration_seconds END AS duration_seconds,
       day, day AS visible_day, source_file, source_row, reason, repaired, log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, customer_id),
            day_fault(day, occurred_at_fault, first_cell, getvariable('events_exported_at')),
            customer_fault(customer_id, id_lost),
            repeat,
            'event') AS reason
    FROM (SELECT *, CAST(occurred_at AS DATE) AS day FROM events_read)
)

-- block: contacts
SELECT customer_id, sent_at, channel, campaign_id, offer_kind, offer_price, delivered, opened, opted_out,
       day, day AS visible_day, source_file, source_row, reason, repaired, log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, customer_id),
            day_fault(day, sent_at_fault, first_cell, getvariable('contacts_exported_at')),
            customer_fault(customer_id, id_lost),
            repeat,
            opted_out_fault, delivered_fault, opened_fault,
            'contact') AS reason
    FROM (SELECT *, CAST(sent_at AS DATE) AS day FROM contacts_read)
)

-- block: surveys
SELECT customer_id, answered_at, COALESCE(word, kind) AS kind, score,
       day, day AS visible_day, source_file, source_row, reason, repaired, log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, customer_id),
            day_fault(day, answered_at_fault, first_cell, getvariable('surveys_exported_at')),
            customer_fault(customer_id, id_lost),
            repeat,
            score_fault,
            CASE WHEN COALESCE(word, kind) = 'nps' AND score NOT BETWEEN 0 AND 10 THEN 'score_out_of_range' END,
            'answer') AS reason
    FROM (SELECT *, CAST(answered_at AS DATE) AS day FROM surveys_read)
)

-- block: memberships
-- a period that an earlier file has too is one period, whose cancellation may stand in either; equal ones inside a file are
-- several; dates that say how long one lasts must be readable where they are given
SELECT customer_id, starts_at, ends_at, cancelled_at,
       day, day AS visible_day, source_file, source_row, reason, repaired, log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, customer_id),
            day_fault(day, starts_at_fault, first_cell, getvariable('memberships_exported_at')),
            customer_fault(customer_id, id_lost),
            ends_at_fault, cancelled_at_fault,
            CASE WHEN ends_at < starts_at THEN 'ends_before_start' END,
            CASE WHEN source_file > MIN(source_file) OVER (PARTITION BY customer_id, starts_at, ends_at, ends_at_fault, cancelled_at_fault, copy)
                 THEN 'other_file' END,
            'membership') AS reason
    FROM (
        SELECT * REPLACE (MIN(cancelled_at) OVER (PARTITION BY customer_id, starts_at, ends_at, ends_at_fault, cancelled_at_fault, copy) AS cancelled_at)
        FROM (
            SELECT *, CAST(starts_at AS DATE) AS day,
                   ROW_NUMBER() OVER (PARTITION BY source_file, customer_id, starts_at, ends_at, ends_at_fault, cancelled_at_fault
                                      ORDER BY cancelled_at NULLS LAST, source_row) AS copy
            FROM memberships_read
        )
    )
)

-- block: costs
SELECT channel, period_start, amount,
       day, day AS visible_day, source_file, source_row, reason, repaired, log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, channel),
            day_fault(day, period_start_fault, first_cell, getvariable('costs_exported_at')),
            CASE WHEN amount IS NULL THEN amount_fault END,
            CASE WHEN channel IS NULL THEN 'missing_value' END,
            repeat,
            'cost') AS reason
    FROM (SELECT *, CAST(period_start AS DATE) AS day FROM costs_read)
)

-- block: identities
SELECT customer_id, id_kind, id_value,
       CAST(NULL AS DATE) AS day, CAST(NULL AS DATE) AS visible_day, source_file, source_row, reason, repaired, log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, customer_id),
            CASE WHEN customer_id IS NULL THEN CASE WHEN is_footer(first_cell) THEN 'footer' ELSE 'missing_customer_id' END END,
            CASE WHEN id_lost THEN 'id_lost' END,
            CASE WHEN id_value IS NULL THEN 'missing_value' END,
            repeat,
            'identity') AS reason
    FROM identities_read
)

-- block: assignments
SELECT experiment_id, customer_id, arm, assigned_at, tier, cluster_id,
       day, day AS visible_day, source_file, source_row, reason, repaired, log_fate(reason) AS fate
FROM (
    SELECT *,
        COALESCE(
            row_fault(ragged, first_cell, customer_id),
            day_fault(day, assigned_at_fault, first_cell, getvariable('assignments_exported_at')),
            customer_fault(customer_id, id_lost),
            CASE WHEN experiment_id IS NULL OR arm IS NULL THEN 'missing_value' END,
            repeat,
            'assignment') AS reason
    FROM (SELECT *, CAST(assigned_at AS DATE) AS day FROM assignments_read)
)

-- block: repeated_rows
-- between files: a row that stands in an earlier file too is taken once; inside one file nothing is removed
SELECT source_file, source_row, 'other_file' AS repeat
FROM (
    SELECT source_file, source_row, content,
           ROW_NUMBER() OVER (PARTITION BY source_file, content ORDER BY source_row) AS copy
    FROM (SELECT source_file, source_row, hash({content}) AS content FROM {table}_typed WHERE {when} IS NOT NULL)
)
QUALIFY source_file > MIN(source_file) OVER (PARTITION BY content, copy)

-- block: repeated_assignments
-- a customer's first assignment to an arm of an experiment stays
SELECT source_file, source_row, 'repeated_assignment' AS repeat
FROM assignments_typed
WHERE NOT no_date(CAST(assigned_at AS DATE)) AND experiment_id IS NOT NULL AND arm IS NOT NULL AND customer_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY experiment_id, customer_id, arm ORDER BY assigned_at, source_file, source_row) > 1

-- block: repeated_customers
-- rows of one customer from one day: the first stays, equal ones are duplicates, others a conflict
SELECT source_file, source_row,
       CASE WHEN content = FIRST_VALUE(content) OVER same THEN 'repeated_customer' ELSE 'conflicting_customer' END AS repeat
FROM (
    SELECT source_file, source_row, customer_id, own_id, valid_from, joined_at,
           hash(joined_at, acquisition_channel, acquisition_cost, persona, gender, age_band, region, occupation, interests,
                followers, override, referred_by, opted_out, opted_out_fault) AS content
    FROM customers_typed
    WHERE customer_id IN (SELECT customer_id FROM customers_typed WHERE customer_id IS NOT NULL GROUP BY customer_id HAVING COUNT(*) > 1)
)
WINDOW same AS (PARTITION BY own_id, valid_from ORDER BY joined_at NULLS FIRST, source_file, source_row)
QUALIFY ROW_NUMBER() OVER same > 1

-- block: merged_customers
-- one person under several ids: the id that was seen first stays, the person's own before others on one day
SELECT source_file, source_row, 'other_id' AS repeat
FROM (
    SELECT source_file, source_row, customer_id, own_id,
           MIN(COALESCE(CAST(COALESCE(valid_from, joined_at) AS DATE), DATE '0001-01-01')) OVER (PARTITION BY own_id) AS first_day
    FROM customers_typed
    WHERE customer_id IS NOT NULL
)
QUALIFY own_id <> FIRST_VALUE(own_id) OVER (PARTITION BY customer_id ORDER BY first_day, own_id <> customer_id, own_id)

-- block: days
SELECT {customer} AS customer_id, day, CAST(reason AS log_reason) AS reason, COUNT(*) AS lines, {amount} AS amount, {money} AS lines_with_money FROM {table} GROUP BY ALL

-- block: events_days
SELECT customer_id, day, CAST(reason AS log_reason) AS reason, COUNT(*) AS lines, CAST(NULL AS DECIMAL(38, 4)) AS amount, 0 AS lines_with_money,
       COUNT(*) FILTER (WHERE is_own_act(kind)) AS acts,
       COALESCE(BOOL_OR(kind = 'unfollow'), FALSE) AS unfollowed,
       COALESCE(BOOL_OR(kind = 'delete_account'), FALSE) AS deleted,
       COUNT(*) FILTER (WHERE kind IN ('like', 'comment', 'share', 'check_in')) AS interactions,
       COUNT(*) FILTER (WHERE kind = 'open') AS opens,
       SUM(TRY_CAST(duration_seconds AS DECIMAL(18, 3))) FILTER (WHERE is_own_act(kind)) AS seconds
FROM events
GROUP BY ALL

-- block: contacts_days
SELECT customer_id, day, CAST(reason AS log_reason) AS reason, COUNT(*) AS lines, CAST(NULL AS DECIMAL(38, 4)) AS amount, 0 AS lines_with_money,
       COUNT(*) FILTER (WHERE delivered IS NOT FALSE) AS delivered,
       COUNT(*) FILTER (WHERE opened) AS opened,
       COUNT(*) FILTER (WHERE delivered IS NOT FALSE AND (offer_price IS NOT NULL OR lower(offer_kind) NOT IN ('content', '内容', '资讯'))) AS offers,
       COALESCE(BOOL_OR(opted_out), FALSE) AS opted_out
FROM contacts
GROUP BY ALL

-- block: first_seen
-- when an id was first seen in a table beside orders and customers
SELECT customer_id, MIN(day) AS day FROM ({days}) WHERE customer_id IS NOT NULL AND log_fate(reason) = 'used' GROUP BY customer_id

-- block: lessons
-- each lesson of a customer once: the day it was first touched, the day it was first completed
SELECT customer_id, MIN(day) AS day, MIN(day) FILTER (WHERE kind = 'lesson_complete') AS completed_day
FROM events
WHERE reason = 'event' AND kind IN ('lesson_start', 'lesson_complete')
GROUP BY customer_id, COALESCE(content_id, concat_ws('|', source_file, source_row))
