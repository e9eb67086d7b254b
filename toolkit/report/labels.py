"""Every label that people read, in Chinese and in English: one table, no logic."""

from __future__ import annotations

SEGMENT_WORDS: dict[str, tuple[str, str]] = {
    "champions": ("重要价值", "Champions"),
    "big_occasional": ("重要发展", "Big occasional"),
    "lapsing_core": ("重要保持", "Lapsing core"),
    "slipping_big": ("重要挽留", "Slipping big"),
    "loyal_small": ("一般价值", "Loyal small"),
    "newcomers": ("一般发展", "Newcomers"),
    "fading_regulars": ("一般保持", "Fading regulars"),
    "lost": ("一般挽留", "Lost"),
    "prospect": ("未购客户", "Prospects"),
    "total": ("合计", "Total"),
}

SEGMENT_TRAITS: dict[str, tuple[str, str]] = {
    "champions": ("近期买过，买得勤，花得多。", "Ordered lately, often and for much money."),
    "big_occasional": ("近期买过，花得多，但买得少。", "Ordered lately and for much money, but seldom."),
    "lapsing_core": ("买得勤，花得多，但很久没来。", "Ordered often and for much money, but not lately."),
    "slipping_big": ("花得多，但买得少，也很久没来。", "Spent much, but seldom and not lately."),
    "loyal_small": ("近期买过，买得勤，但花得少。", "Ordered lately and often, for little money."),
    "newcomers": ("近期买过，买得少，花得也少。", "Ordered lately, seldom and for little money so far."),
    "fading_regulars": ("买得勤，但花得少，也很久没来。", "Ordered often for little money, but not lately."),
    "lost": ("很久没来，买得少，花得也少。", "Ordered seldom, for little money and not lately."),
    "prospect": ("已在私域，还没有买过。", "Known to the business, has not ordered yet."),
}

SEGMENT_ACTIONS: dict[str, tuple[str, str]] = {
    "champions": (
        "由专属团队服务，给专享权益和定期福利，并主动请他们分享和推荐。",
        "Serve them with a VIP team, exclusive rights and regular benefits; ask them to share and refer.",
    ),
    "big_occasional": ("提高活跃度和购买频次。", "Raise their activity and how often they order."),
    "lapsing_core": ("用邮件、站内信、短信主动联系。", "Contact them by e-mail, in the app and by SMS."),
    "slipping_big": ("列入流失预警，再逐一触达。", "Put them on the churn warning, then reach out."),
    "loyal_small": ("发优惠券提高客单价，这是重点潜力客户。", "Offer coupons that raise spend: the key potential."),
    "newcomers": ("给新客福利，节日时提醒。", "Give newcomer benefits and a reminder at holidays."),
    "fading_regulars": ("用福利加情感关怀触达。", "Reach out with a benefit and a personal touch."),
    "lost": ("预算有限时暂时放弃。", "Leave them for now if the budget is limited."),
    "prospect": ("引导完成第一次购买。", "Guide them to a first purchase."),
}

LABELS: dict[str, tuple[str, str]] = {
    # what became of a row
    "used": ("已用", "Used"),
    "refund": ("退款", "Refund"),
    "duplicate": ("重复", "Duplicate"),
    "cancelled": ("取消", "Cancelled"),
    "excluded": ("排除", "Excluded"),
    "quarantined": ("隔离", "Quarantined"),
    "later": ("之后", "Later"),
    # snapshot and scores
    "customer_id": ("客户编号", "Customer"),
    "first_order_date": ("首次下单日", "First order"),
    "last_order_date": ("最近下单日", "Last order"),
    "recency_days": ("距最近下单天数", "Days since last order"),
    "tenure_days": ("距首次下单天数", "Days since first order"),
    "order_count": ("订单数", "Orders"),
    "order_days": ("下单天数", "Order days"),
    "spend": ("净消费", "Spend"),
    "window_order_days": ("窗口内下单天数", "Order days in window"),
    "window_spend": ("窗口内净消费", "Spend in window"),
    "mean_order_value": ("客单价", "Mean order value"),
    "last_order_value": ("最近一单金额", "Last order value"),
    "max_price": ("最高单价", "Highest price"),
    "refund_amount": ("退款金额", "Refunded"),
    "mean_gap_days": ("平均下单间隔（天）", "Mean days between orders"),
    "joined_date": ("加入日期", "Joined"),
    "acquisition_channel": ("来源渠道", "Acquisition channel"),
    "persona": ("人群", "Persona"),
    "gender": ("性别", "Gender"),
    "age_band": ("年龄段", "Age band"),
    "region": ("地区", "Region"),
    "r_score": ("R 分", "R score"),
    "f_score": ("F 分", "F score"),
    "m_score": ("M 分", "M score"),
    "segment": ("客户类型", "Segment"),
    # tables
    "customers": ("客户数", "Customers"),
    "share_of_customers": ("客户占比", "Share of customers"),
    "share_of_spend": ("消费占比", "Share of spend"),
    "mean_recency_days": ("平均距最近下单天数", "Mean days since last order"),
    "median_recency_days": ("距最近下单天数中位数", "Median days since last order"),
    "mean_window_order_days": ("窗口内人均下单天数", "Mean order days in window"),
    "mean_window_spend": ("窗口内人均消费", "Mean spend in window"),
    "recency_gap_days": ("时间差距（天）", "Days too long ago"),
    "order_days_gap": ("还差下单天数", "Order days missing"),
    "spend_gap": ("还差金额", "Spend missing"),
    "shortest": ("最短板", "Falls short most"),
    "keep_until": ("保持到", "Stays recent until"),
    "traits": ("特征", "Who they are"),
    "action": ("做法", "What to do"),
    "rows": ("行数", "Rows"),
    "money": ("金额", "Money"),
    "fate": ("去向", "Fate"),
    "reason": ("原因", "Reason"),
    "other": ("其他", "Other"),
    "share_of_rows": ("占行数", "Share of rows"),
    "status": ("状态", "Status"),
    "check": ("检查", "What was looked at"),
    "subject": ("对象", "Where"),
    "how_many": ("数量", "How many"),
    "file": ("文件", "File"),
    "header": ("原表头 → 读作", "Header → read as"),
    "encoding": ("编码", "Encoding"),
    "setting": ("设置", "Setting"),
    "value": ("取值", "Value"),
    "ordered_at": ("下单时间", "Order time"),
    "amount": ("金额", "Amount"),
    "order_id": ("订单号", "Order"),
    "line_id": ("订单行号", "Order line"),
    "product_id": ("商品编号", "Product"),
    "product_layer": ("产品层级", "Product layer"),
    "list_price": ("标价", "List price"),
    "quantity": ("数量", "Quantity"),
    "channel": ("渠道", "Channel"),
    "recorded_at": ("记录时间", "Recorded at"),
    "joined_at": ("加入时间", "Joined at"),
    "acquisition_cost": ("获客成本", "Acquisition cost"),
    "occupation": ("职业", "Occupation"),
    "interests": ("兴趣", "Interests"),
    "followers": ("粉丝数", "Followers"),
    "referred_by": ("推荐人", "Referred by"),
    "opted_out": ("退订", "Opted out"),
    "valid_from": ("生效时间", "Valid from"),
    "median_recency_gap_days": ("时间差距中位数（天）", "Median days too long ago"),
    "median_order_days_gap": ("还差下单天数中位数", "Median order days missing"),
    "median_spend_gap": ("还差金额中位数", "Median spend missing"),
    "one_order_away": ("只差一天下单的客户", "One order day away from the core"),
    "recency_better_than": ("距最近下单少于（天）", "Days since last order below"),
    "frequency_better_than": ("窗口内下单天数多于", "Order days in window above"),
    "monetary_better_than": ("窗口内净消费高于", "Spend in window above"),
    # strip of figures
    "rows_in": ("导入的订单行", "Order rows in"),
    "rows_used": ("计入分析的行", "Rows used"),
    "money_used": ("计入分析的金额", "Money used"),
    "rows_quarantined": ("被隔离的行", "Rows quarantined"),
    "days_without_orders": ("没有订单的天数", "Days without orders"),
    "champions": ("重要价值客户", "Champions"),
    "champions_spend_share": ("重要价值客户消费占比", "Champions' share of spend"),
    "slipping": ("正在流失的大客户", "Big spenders slipping away"),
    "slipping_spend": ("他们近一年的消费", "What they spent"),
    "points": ("个百分点", " pp"),
    # charts
    "recency": ("时间（R）", "Recency"),
    "frequency": ("频次（F）", "Frequency"),
    "monetary": ("金额（M）", "Monetary"),
    "buyers": ("买家数", "Buyers"),
    "low": ("低", "low"),
    "high": ("高", "high"),
    "score": ("分数", "Score"),
    "no_orders": ("没有订单", "no orders"),
    "orders_per_day": ("每天订单行数", "Order lines per day"),
    "share_of_buyers_best_first": ("买家占比（按消费从高到低）", "Share of buyers, biggest spenders first"),
    "all_alike": ("人人消费相同", "if all spent the same"),
    "share_of_segment": ("占该类客户的比例", "Share of the segment's customers"),
    "weekdays": ("一,,三,,五,,日", "Mon,,Wed,,Fri,,Sun"),
    "months": (
        "1月,2月,3月,4月,5月,6月,7月,8月,9月,10月,11月,12月",
        "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec",
    ),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "verdict_segments": (
        (
            "重要价值客户占 {customers}，贡献了近 {days} 天消费的 {spend}。曾经花得多、如今很久没来的客户有 {slipping} 人，"
            "他们在这段时间里花了 {money}：先挽留他们。"
        ),
        (
            "Champions are {customers} of customers and bring {spend} of spend in the last {days} days. {slipping} "
            "customers who spent much have gone quiet; they brought {money} in that time, so win them back first."
        ),
    ),
    "verdict_segments_calm": (
        "重要价值客户占 {customers}，贡献了近 {days} 天消费的 {spend}。没有花得多却很久没来的客户。",
        (
            "Champions are {customers} of customers and bring {spend} of spend in the last {days} days. No customer who "
            "spent much has gone quiet."
        ),
    ),
    "verdict_health": (
        "{rows} 行订单中 {used} 计入分析；{lost} 行（{share}）读不懂，已隔离；其余按规定退款、取消或排除，一行不少。",
        (
            "{used} of {rows} order rows are used; {lost} rows ({share}) could not be read and are quarantined; all "
            "others are refunded, cancelled or excluded by policy, and none is lost."
        ),
    ),
    "verdict_health_clean": (
        "{rows} 行订单中 {used} 计入分析，其余按规定退款、取消或排除，一行不少。",
        (
            "{used} of {rows} order rows are used; all others are refunded, cancelled or excluded by policy, and none "
            "is lost."
        ),
    ),
    "verdict_checks": ("有 {n} 项检查需要注意。", " Checks that need a look: {n}."),
    "verdict_no_checks": ("没有需要注意的检查。", " No check needs a look."),
    "cuts_fixed": (
        "分界点学自 {day}，各期分数可以比较。",
        "Cut points were learned at {day}; scores of different periods compare.",
    ),
    "cuts_moving": (
        "分界点学自报告日 {day}，各期分数不可比较；在 study.yaml 里写 cuts: {{learned_at: 日期}} 即可固定。",
        (
            "Cut points were learned at the report's own day, {day}: scores of different periods do not compare. "
            "cuts: {{learned_at: DATE}} in study.yaml fixes them."
        ),
    ),
    "of_days": ("共 {n} 天", "of {n} days"),
    "change_since": ("较{on} {change}", "{change} since {on}"),
    "axis_recency": ("距最近一次下单的天数（截至{as_of}）", "Days since the last order, as of {as_of}"),
    "axis_frequency": ("近 {days} 天内下单的天数", "Days with an order in the last {days} days"),
    "axis_monetary": ("近 {days} 天净消费（{sign}）", "Spend in the last {days} days, {sign}"),
    "axis_share_of_spend": ("近 {days} 天消费占比", "Share of spend in the last {days} days"),
    "axis_mean_spend": ("近 {days} 天人均消费（{sign}）", "Mean spend in the last {days} days, {sign}"),
    "axis_r_score": ("R 分（越高越近）", "R score (high is recent)"),
    "axis_f_score": ("F 分（越高越勤）", "F score (high is often)"),
    "axis_shares": (
        "占比（客户数；近 {days} 天消费）",
        "Share of all customers, and of spend in the last {days} days",
    ),
    "axis_table_rows": ("导入的行数", "Rows that came in"),
    "not_drawn": ("另有 {n} 位买家不高于 0，未画出", "{n} buyers at zero or below are not drawn"),
    "and_more": ("{n} 及以上", "{n} or more"),
    "title_recency": (
        "{share} 的买家最近一次下单距今不到 {split} 天",
        "{share} of buyers ordered less than {split} days ago",
    ),
    "title_frequency": ("{share} 的买家下单超过 {split} 天", "{share} of buyers ordered on more than {split} days"),
    "title_frequency_one": ("{share} 的买家下单超过 1 天", "{share} of buyers ordered on more than one day"),
    "title_monetary": ("{share} 的买家消费超过 {split}", "{share} of buyers spent more than {split}"),
    "title_grid": (
        "R、F 都是最高分的买家有 {n} 人，人均消费 {money}",
        "{n} buyers score highest on both R and F; they spend {money} each",
    ),
    "title_grid_empty": ("R、F 都是最高分的买家不到 {n} 人", "Fewer than {n} buyers score highest on both R and F"),
    "title_segments": (
        "“{segment}”占客户的 {customers}，贡献了消费的 {spend}",
        "{segment}: {customers} of customers, {spend} of spend",
    ),
    "title_pareto": ("20% 的买家贡献了 {spend} 的消费", "20% of buyers bring {spend} of spend"),
    "title_gap": (
        "核心以外的客户中，{share} 最缺的是{dimension}",
        "{dimension} falls short most for {share} outside the core",
    ),
    "people": ("{n} 人", "{n} customers"),
    "title_small": ("各类客户都不到 {n} 人", "No segment has {n} customers"),
    "title_no_gap": ("所有客户都在核心", "Every customer is in the core"),
    "title_coverage": (
        "{days} 天中有 {missing} 天没有订单（截至{last}）",
        "{missing} of {days} days up to {last} have no orders",
    ),
    "title_coverage_full": ("{days} 天每天都有订单（截至{last}）", "All {days} days up to {last} have orders"),
    "title_ledger": (
        "{rows} 行中有 {used} 计入分析，{quarantined} 行被隔离",
        "{used} of {rows} rows are used, {quarantined} quarantined",
    ),
}
