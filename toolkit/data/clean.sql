-- Exports -> clean rows. Every row keeps its place in exactly one fate; nothing is dropped here.
-- Values that differ between studies arrive as DuckDB variables; no text of a user's file is ever part of a statement.

-- block: macros
CREATE TYPE reason_name AS ENUM (
    'order', 'zero_order_counted', 'negative_amount', 'refund_record', 'refunded_status', 'other_file', 'repeated_line_id',
    'cancelled', 'missing_customer', 'excluded_customer', 'unpaid', 'zero_order', 'negative_excluded', 'footer', 'ragged_row',
    'missing_date', 'unreadable_date', 'sentinel_date', 'serial_date', 'day_or_month_first', 'after_export', 'missing_amount',
    'unreadable_amount', 'decimal_comma', 'other_currency', 'id_lost', 'files_disagree', 'line_id_conflict', 'no_customer',
    'negative_unstated', 'refunded_unstated', 'unknown_status');

CREATE TYPE log_reason AS ENUM (
    'event', 'contact', 'customer', 'answer', 'cost', 'identity', 'assignment', 'membership', 'other_file', 'repeated_customer',
    'other_id', 'repeated_assignment', 'footer', 'missing_customer', 'excluded_customer', 'ragged_row', 'missing_date',
    'unreadable_date', 'sentinel_date', 'serial_date', 'day_or_month_first', 'after_export', 'missing_amount', 'unreadable_amount',
    'decimal_comma', 'other_currency', 'id_lost', 'no_customer', 'missing_customer_id', 'missing_value', 'missing_number',
    'unreadable_number', 'unreadable_flag', 'score_out_of_range', 'ends_before_start', 'conflicting_customer');

-- what a URL would not escape (letters, digits, -._~) needs no cleaning; on a plain id this test is three times faster.
-- ="0012" and `0012 are how exports tell Excel to leave a cell alone
CREATE OR REPLACE MACRO clean_text(x) AS
    NULLIF(CASE WHEN x = url_encode(x) THEN x
                WHEN regexp_full_match(x, '[!-<>-_a-~]([ -~]*[!-~])?') THEN x
                ELSE normal_text(regexp_replace(x, '^\s*(?:="(.*)"|`(.*))\s*$', '\1\2')) END, '');

CREATE OR REPLACE MACRO known(x) AS
    NULLIF(regexp_replace(x, '(?i)^(null|none|nan|nat|<na>|#?n/a|\\n|-|--|/)$', ''), '');

-- each text stands once in what is not the first case: the engine would compute a repeated one for every row
CREATE OR REPLACE MACRO clean_id(x) AS
    CASE WHEN strlen(x) > 4 AND x = url_encode(x) AND NOT getvariable('fold_case') THEN x
         ELSE known(regexp_replace(CASE WHEN getvariable('fold_case') THEN lower(clean_text(x)) ELSE clean_text(x) END,
                                   '^''(\d+)$', '\1')) END;

CREATE OR REPLACE MACRO is_missing(x) AS
    known(clean_text(x)) IS NULL;

-- money: own currency marks at either end go, (5) is -5, thousands stand in groups of three or not at all
CREATE OR REPLACE MACRO money_text(x) AS
    regexp_replace(
        trim(regexp_replace(replace(clean_text(x), '−', '-'), getvariable('own_marks_at_ends'), '\1\2', 'gi')),
        '^\(([^()-]+)\)$', '-\1');

CREATE OR REPLACE MACRO money(x) AS
    CASE WHEN regexp_full_match(money_text(x), '[+-]? *(\d+|\d{1,3}(,\d{3})+|\d{1,3}([ '']\d{3})+|)(\.\d+|\d\.)?')
         THEN TRY_CAST(regexp_replace(money_text(x), '[ '',]', '', 'g') AS DECIMAL(18, 4)) END;

CREATE OR REPLACE MACRO money_comma(x) AS
    CASE WHEN regexp_full_match(money_text(x), '[+-]? *(\d+|\d{1,3}(\.\d{3})+|\d{1,3}([ '']\d{3})+|)(,\d+|\d,)?')
         THEN TRY_CAST(replace(regexp_replace(money_text(x), '[ ''.]', '', 'g'), ',', '.') AS DECIMAL(18, 4)) END;

CREATE OR REPLACE MACRO money_fault(x) AS
    CASE WHEN is_missing(x) THEN 'missing_amount'
         WHEN regexp_full_match(money_text(x), '[+-]? *(\d+|\d{1,3}([. '']\d{3})+),\d{1,2}') THEN 'decimal_comma'
         WHEN regexp_matches(
                  regexp_replace(clean_text(x), getvariable('own_marks'), '', 'gi'),
                  '(?i)[¥$€£₩円元]|(^|[^a-z])(usd|cny|rmb|eur|gbp|jpy|hkd|twd|sgd)([^a-z]|$)')
              OR regexp_matches(clean_text(x), '(?i)[a-z] ?[¥$€£₩]') THEN 'other_currency'
         ELSE 'unreadable_amount' END;

CREATE OR REPLACE MACRO is_own(currency) AS
    known(currency) IS NULL OR regexp_full_match(currency, getvariable('own_marks'), 'i');

CREATE OR REPLACE MACRO money_of_number(x) AS
    TRY_CAST(x AS DECIMAL(18, 4));

-- dates: formats of the study first, then year-first ones; day-first and month-first are never guessed
CREATE OR REPLACE MACRO time_text(x) AS
    regexp_replace(
        regexp_replace(
            regexp_replace(clean_text(x), '^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?', '\1-\2-\3 '),
            '^(\d{4}-\d{1,2}-\d{1,2} )[T\s]*(\d{1,2})[:时点](\d{1,2})分?', '\1\2:\3'),
        '(:\d{1,2})秒$|(\.\d{6})\d+', '\1\2');

CREATE OR REPLACE MACRO zoned(x) AS
    regexp_matches(x, '\d:\d\d(:\d\d(\.\d+)?)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)$');

CREATE OR REPLACE MACRO local_time(x, formats) AS
    COALESCE(
        try_strptime(clean_text(x), formats),
        CASE WHEN regexp_matches(clean_text(x), '^(\d{1,7}$|\d{1,3}\D)') THEN NULL
             WHEN zoned(clean_text(x))
             THEN timezone(getvariable('timezone'), CAST(try_strptime(
                      regexp_replace(regexp_replace(time_text(x), ' ?(Z|UTC)$', '+00:00'), ' ?([+-]\d\d(:?\d\d)?)$', '\1'),
                      ['%Y-%m-%d %H:%M:%S%z', '%Y-%m-%d %H:%M%z', '%Y-%m-%d %H:%M:%S.%f%z']) AS TIMESTAMPTZ))
             ELSE try_strptime(
                      time_text(x),
                      ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d', '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S.%f',
                       '%Y%m%d', '%Y%m%d %H:%M:%S', '%Y%m%d%H%M%S']) END);

-- a month stands for its first day
CREATE OR REPLACE MACRO period_time(x, formats) AS
    COALESCE(local_time(x, formats), try_strptime(clean_text(x), ['%Y-%m', '%Y/%m', '%Y.%m', '%Y年%m月']));

CREATE OR REPLACE MACRO no_date(day) AS
    day < DATE '1971-01-01' OR day >= DATE '9999-01-01';

CREATE OR REPLACE MACRO time_fault(x, formats) AS
    CASE WHEN is_missing(x) THEN 'missing_date'
         WHEN regexp_matches(clean_text(x), '^0000') THEN 'sentinel_date'
         WHEN regexp_matches(clean_text(x), '^\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})\b')
              AND len(formats) = 1 THEN 'day_or_month_first'
         WHEN regexp_full_match(clean_text(x), '[1-9]\d{4}(\.\d+)?') THEN 'serial_date'
         ELSE 'unreadable_date' END;

CREATE OR REPLACE MACRO is_footer(x) AS
    regexp_matches(clean_text(x), '^(合计|总计|小计|总金额|总笔数|总交易单数|共\s*\d+\s*(笔|条)|[-=#*]{3,}|(?i)(grand )?total\b)');

CREATE OR REPLACE MACRO is_total(x, customer) AS
    regexp_full_match(x, '(?i)\s*(合计|总计|小计|(grand )?total)\s*') AND COALESCE(customer = clean_text(x), TRUE);

CREATE OR REPLACE MACRO flag(x) AS
    CASE WHEN lower(clean_text(x)) IN ('true', 't', 'yes', 'y', '1', '1.0', '是', '已退订', '有', '已读', '已打开', '已送达', '成功', '已点击') THEN TRUE
         WHEN lower(clean_text(x)) IN ('false', 'f', 'no', 'n', '0', '0.0', '否', '未退订', '无', '未读', '未打开', '未送达', '失败', '未点击') THEN FALSE END;

CREATE OR REPLACE MACRO flag_fault(x) AS
    CASE WHEN flag(x) IS NULL AND NOT is_missing(x) THEN 'unreadable_flag' END;

-- what a reason means: which rows are used, what they add to spend, what they give back
CREATE OR REPLACE MACRO is_used(reason) AS
    reason = 'order' OR reason = 'zero_order_counted';

CREATE OR REPLACE MACRO is_refund(reason) AS
    reason = 'negative_amount' OR reason = 'refund_record' OR reason = 'refunded_status';

CREATE OR REPLACE MACRO fate_of(reason) AS
    CASE WHEN is_used(reason) THEN 'used'
         WHEN is_refund(reason) THEN 'refund'
         WHEN reason IN ('other_file', 'repeated_line_id') THEN 'duplicate'
         WHEN reason = 'cancelled' THEN 'cancelled'
         WHEN reason IN ('missing_customer', 'excluded_customer', 'unpaid') THEN 'excluded'
         WHEN reason IN ('zero_order', 'negative_excluded', 'footer') THEN 'excluded'
         ELSE 'quarantined' END;

CREATE OR REPLACE MACRO order_key_of(order_id, source_file, source_row) AS
    COALESCE(order_id, concat_ws('|', source_file, source_row));

CREATE OR REPLACE MACRO paid_for_one(order_day, paid, quantity) AS
    CASE WHEN order_day IS NOT NULL THEN CAST(paid AS DOUBLE) / CASE WHEN quantity > 0 THEN quantity ELSE 1 END END;

-- not what the service answered, and not leaving
CREATE OR REPLACE MACRO is_own_act(kind) AS
    COALESCE(kind, '') NOT IN ('reply', 'follow_up', 'unfollow', 'delete_account');

CREATE OR REPLACE MACRO log_fate(reason) AS
    CASE WHEN reason = 'event' OR reason = 'contact' OR reason = 'customer' OR reason = 'answer' OR reason = 'cost'
              OR reason = 'identity' OR reason = 'assignment' OR reason = 'membership' THEN 'used'
         WHEN reason IN ('other_file', 'repeated_customer', 'other_id', 'repeated_assignment') THEN 'duplicate'
         WHEN reason IN ('footer', 'missing_customer', 'excluded_customer') THEN 'excluded'
         ELSE 'quarantined' END;

-- what is wrong with a row of any other table; the first that is not NULL is its reason
CREATE OR REPLACE MACRO row_fault(ragged, first_cell, key) AS
    CASE WHEN ragged IS NOT NULL THEN CASE WHEN is_footer(first_cell) THEN 'footer' ELSE 'ragged_row' END
         WHEN first_cell IS NOT NULL AND is_total(first_cell, key) THEN 'footer' END;

CREATE OR REPLACE MACRO day_fault(day, fault, first_cell, exported_at) AS
    CASE WHEN day IS NULL THEN CASE WHEN is_footer(first_cell) THEN 'footer' ELSE fault END
         WHEN no_date(day) THEN 'sentinel_date'
         WHEN day > CAST(exported_at AS DATE) THEN 'after_export' END;

CREATE OR REPLACE MACRO customer_fault(customer_id, id_lost) AS
    CASE WHEN customer_id IS NULL THEN getvariable('missing_customer')
         WHEN id_lost THEN 'id_lost'
         WHEN getvariable('exclude_customers') IS NOT NULL
              AND list_contains(getvariable('exclude_customers'), customer_id) THEN 'excluded_customer' END;

CREATE OR REPLACE MACRO finite(x) AS
    CASE WHEN isfinite(x) THEN x END;

-- numbers: the grammar of money, with a power of ten and with what is counted behind them
CREATE OR REPLACE MACRO number_text(x) AS
    regexp_replace(replace(clean_text(x), '−', '-'), ' *(分|次|个|人|星)$', '');

CREATE OR REPLACE MACRO number_of_text(x) AS
    CASE WHEN regexp_full_match(number_text(x), '[+-]?(\d+|\d{1,3}(,\d{3})+|)(\.\d+|\d\.)?([eE][+-]?\d{1,3})?')
         THEN finite(TRY_CAST(replace(number_text(x), ',', '') AS DOUBLE)) END;

CREATE OR REPLACE MACRO number_comma(x) AS
    CASE WHEN regexp_full_match(number_text(x), '[+-]?(\d+|\d{1,3}(\.\d{3})+|)(,\d+|\d,)?')
         THEN finite(TRY_CAST(replace(replace(number_text(x), '.', ''), ',', '.') AS DOUBLE)) END;

-- a duration as 1:02:03 or as 1小时2分3秒; a bare number is not one
CREATE OR REPLACE MACRO seconds_part(x, unit) AS
    COALESCE(TRY_CAST(regexp_extract(x, '(\d+) ?' || unit, 1) AS DOUBLE), 0);

CREATE OR REPLACE MACRO clock_seconds(x) AS
    CASE WHEN regexp_full_match(clean_text(x), '\d+:[0-5]?\d:[0-5]?\d')
         THEN seconds_part(clean_text(x), ':\d+:') * 3600 + seconds_part(clean_text(x), ':\d+$') * 60
              + seconds_part(clean_text(x), '$')
         WHEN regexp_full_match(clean_text(x), '(?i)(\d+ ?(小时|时|h) ?)?(\d+ ?(分钟|分|min|m) ?)?(\d+ ?(秒钟|秒|s))?')
         THEN seconds_part(lower(clean_text(x)), '(?:小时|时|h)') * 3600 + seconds_part(lower(clean_text(x)), '(?:分|m)') * 60
              + seconds_part(lower(clean_text(x)), '(?:秒|s)') END;

CREATE OR REPLACE MACRO number_fault(x) AS
    CASE WHEN is_missing(x) THEN 'missing_number' ELSE 'unreadable_number' END;

-- an optional date that cannot be read, and is not one of those that mean none
CREATE OR REPLACE MACRO optional_time_fault(x, formats) AS
    CASE WHEN NOT is_missing(x) AND local_time(x, formats) IS NULL THEN NULLIF(time_fault(x, formats), 'sentinel_date') END;

CREATE OR REPLACE MACRO refunded_of(reason, amount) AS
    CASE WHEN reason = 'refunded_status' THEN amount WHEN is_refund(reason) THEN -amount ELSE 0 END;

CREATE OR REPLACE MACRO net_of(reason, amount) AS
    CASE WHEN is_used(reason) OR reason = 'negative_amount' OR reason = 'refund_record' THEN amount
         WHEN reason = 'refunded_status' AND getvariable('refunded_rows') = 'refund_record' THEN -amount
         ELSE 0 END;

-- what one unit costs: its list price, else what was paid for it
CREATE OR REPLACE MACRO unit_price(paid, quantity, list_price) AS
    CASE WHEN list_price > 0 THEN CAST(list_price AS DOUBLE)
         ELSE CAST(paid AS DOUBLE) / CASE WHEN quantity > 0 THEN quantity ELSE 1 END END;

-- block: orders_days
-- what the ledger and most features need of the rows, summed once: late_day is set where a row was recorded after its day
SELECT customer_id, day, CAST(reason AS reason_name) AS reason, NULLIF(visible_day, day) AS late_day,
       COUNT(*) AS lines, COUNT(amount) AS lines_with_money, SUM(amount) AS amount
FROM orders
GROUP BY ALL

-- block: orders
SELECT
    customer_id, ordered_at, day, visible_day, amount, order_id, line_id, product_id, product_layer, list_price, quantity,
    channel, recorded_at, source_file, source_row, reason, repaired,
    fate_of(reason) AS fate,
    CASE WHEN is_used(reason) THEN day END AS order_day,
    CASE WHEN is_used(reason) THEN amount ELSE 0 END AS paid,
    refunded_of(reason, amount) AS refunded,
    net_of(reason, amount) AS net
FROM (
    SELECT
        *,
        GREATEST(day, CAST(recorded_at AS DATE)) AS visible_day,
        CASE
            WHEN ragged IS NOT NULL THEN CASE WHEN is_footer(first_cell) THEN 'footer' ELSE 'ragged_row' END
            WHEN first_cell IS NOT NULL AND is_total(first_cell, customer_id) THEN 'footer'
            WHEN day IS NULL THEN CASE WHEN is_footer(first_cell) THEN 'footer' ELSE ordered_at_fault END
            WHEN no_date(day) THEN 'sentinel_date'
            WHEN day > CAST(getvariable('orders_exported_at') AS DATE) THEN 'after_export'
            WHEN amount IS NULL THEN COALESCE(amount_fault, 'unreadable_amount')
            WHEN NOT currency_known THEN 'other_currency'
            WHEN customer_id IS NULL THEN getvariable('missing_customer')
            WHEN id_lost THEN 'id_lost'
            WHEN repeat IS NOT NULL THEN repeat
            WHEN getvariable('exclude_customers') IS NOT NULL
                 AND list_contains(getvariable('exclude_customers'), customer_id) THEN 'excluded_customer'
            WHEN word IN ('cancelled', 'unpaid', 'unknown_status') THEN word
            WHEN word = 'refunded' AND amount < 0 THEN 'refund_record'
            WHEN word = 'refunded' THEN getvariable('refunded_status')
            WHEN amount < 0 THEN getvariable('negative_amount')
            WHEN amount = 0 THEN getvariable('zero_order')
            ELSE 'order' END AS reason
    FROM (SELECT *, CAST(ordered_at AS DATE) AS day FROM orders_read)
)

-- block: repeated_lines
-- the first row of a line_id in order of visibility stays, on one day the smallest; an equal one later is a duplicate, a different one a conflict
SELECT source_file, source_row,
       CASE WHEN content = FIRST_VALUE(content) OVER earlier THEN 'repeated_line_id' ELSE 'line_id_conflict' END AS repeat
FROM (
    SELECT source_file, source_row, line_id, ordered_at, amount, customer_id, order_id, product_id, quantity, word,
           CAST(GREATEST(CAST(ordered_at AS DATE), CAST(recorded_at AS DATE)) AS DATE) AS visible_day,
           hash(customer_id, ordered_at, amount, order_id, product_id, quantity, word) AS content
    FROM orders_typed
    WHERE line_id IN (SELECT line_id FROM orders_typed WHERE line_id IS NOT NULL GROUP BY line_id HAVING COUNT(*) > 1)
)
WINDOW earlier AS (PARTITION BY line_id ORDER BY visible_day NULLS LAST, source_file, ordered_at, amount, customer_id,
                   order_id, product_id, quantity, word, source_row)
QUALIFY ROW_NUMBER() OVER earlier > 1

-- block: repeated_orders
-- between files: an order-day that stands in several files is taken from the first; its copies must agree line by line
SELECT source_file, source_row, CASE WHEN content = first_content THEN 'other_file' ELSE 'files_disagree' END AS repeat
FROM (
    SELECT order_key, visible_day, source_file, content,
           FIRST_VALUE(source_file) OVER copies AS first_file, FIRST_VALUE(content) OVER copies AS first_content
    FROM (
        SELECT order_key, visible_day, source_file,
               SUM(CAST(hash(customer_id, ordered_at, amount, line_id, product_id, quantity, word) AS HUGEINT)) AS content
        FROM order_days GROUP BY order_key, visible_day, source_file
    )
    WINDOW copies AS (PARTITION BY order_key, visible_day ORDER BY source_file)
)
JOIN order_days USING (order_key, visible_day, source_file)
WHERE source_file <> first_file

-- block: order_days
SELECT source_file, source_row, customer_id, ordered_at, amount, line_id, product_id, quantity, word,
       CAST(GREATEST(CAST(ordered_at AS DATE), CAST(recorded_at AS DATE)) AS DATE) AS visible_day,
       COALESCE(order_id, concat_ws('|', customer_id, ordered_at)) AS order_key
FROM orders_typed
WHERE ordered_at IS NOT NULL
