"""Labels and sentences about moves, in Chinese and in English: tables, no logic."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    # where customers come from and go to
    "moves_new": ("新客户", "New"),
    "moves_gone": ("已不存在", "Gone"),
    "moves_before": ("之前", "Before"),
    "moves_to": ("之后", "After"),
    "tier": ("层级", "Tier"),
    # the bridge
    "part_start": ("期初", "Start"),
    "part_correction": ("更正", "Correction"),
    "part_gone": ("消失", "Gone"),
    "part_clock": ("时间流逝", "Clock"),
    "part_behaviour": ("客户行为", "Behaviour"),
    "part_new": ("新客户", "New"),
    "part_end": ("期末", "End"),
    "part_drift": ("分界点漂移", "Drift"),
    # who entered and left
    "tier_start": ("期初人数", "At the start"),
    "tier_left": ("离开", "Left"),
    "tier_entered": ("进入", "Entered"),
    "tier_end": ("期末人数", "At the end"),
    "spend_left": ("离开者之前的消费", "Spend of who left, before"),
    "spend_entered": ("进入者如今的消费", "Spend of who entered, now"),
    # figures of the strip
    "moved": ("换了类型", "Moved"),
    "moved_up": ("上升", "Moved up"),
    "moved_down": ("下降", "Moved down"),
    "moved_by_clock": ("只因时间流逝", "Moved by silence"),
    "moves_first_seen": ("新客户", "First seen"),
    "moves_drift_share": ("其实只是分界点在动", "Only cut points moved"),
    # flaps and hysteresis
    "band": ("缓冲带", "Band"),
    "minimum_stay": ("最短停留（期）", "Minimum stay"),
    "changes": ("变动", "Changes"),
    "flaps": ("反复", "Flaps"),
    "flap_share": ("反复占比", "Share undone"),
    "flaps_avoided": ("避免的反复", "Flaps avoided"),
    "lasting": ("持久变动", "Lasting changes"),
    "late": ("晚报的变动", "Told late"),
    "mean_delay_days": ("平均晚报天数", "Mean delay, days"),
    "misplaced_customers": ("每期错放人数", "In the wrong tier, mean"),
    "misplaced_spend": ("每期错放的消费", "Their spend, mean"),
    # new, retained, resurrected, dormant
    "period": ("截至", "Period to"),
    "active": ("下单人数", "Buyers"),
    "new": ("新增", "New"),
    "retained": ("留存", "Retained"),
    "resurrected": ("回流", "Resurrected"),
    "dormant": ("沉睡", "Dormant"),
    "spend_new": ("新增消费", "Spend, new"),
    "spend_retained": ("留存消费", "Spend, retained"),
    "spend_resurrected": ("回流消费", "Spend, resurrected"),
    "spend_idle": ("未下单者的退款", "Refunds to non-buyers"),
    "spend_dormant": ("沉睡者上期消费", "Dormant: spend before"),
    # cohorts
    "cohort": ("首次下单的月份", "Month of first order"),
    "age": ("第几个月", "Month after the first order"),
    "all_cohorts": ("合计", "All"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "verdict_moves": (
        (
            "{since}以来，{known} 位老客户中有 {moved} 人（{share}）换了类型：{up} 人上升，{down} 人下降；"
            "{clock} 人只是因为没有再来。另有 {new} 位新客户。"
        ),
        (
            "Since {since}, {moved} of {known} customers ({share}) stand in another type: {up} moved up, {down} down; "
            "{clock} moved by silence alone. {new} customers are new."
        ),
    ),
    "verdict_drift": (
        "如果每次重新学习分界点，看上去会有 {naive} 人换类型，其中 {drift} 人（{share}）只是因为分界点移动了。",
        (
            " Of {naive} customers who move when cut points are learned anew each time, {drift} ({share}) move only "
            "because the cut points moved."
        ),
    ),
    "verdict_drift_none": (
        "如果每次重新学习分界点，没有人换类型。",
        " No customer moves when cut points are learned anew each time.",
    ),
    "drift_fixed": (
        "在同一套分界点下：两天都在的客户中有 {same} 人换了类型；其中 {hidden} 人的变动会被重新学习的分界点掩盖。",
        (
            "Under one set of cut points {same} of those known on both days moved; {hidden} of these moves would be "
            "hidden by learning cut points anew."
        ),
    ),
    "moves_learned": ("分界点学自{day}，所有步骤共用一套。", "Cut points of {day}, one set for all steps."),
    "moves_not_measured": (
        "没有当时存下的快照，更正只含注明登记时间的迟到行。",
        "No snapshot was stored, so corrections hold only late rows that say when they were recorded.",
    ),
    "moves_measured": ("更正相对于{day}报告存下的快照。", "Corrections are against what the report of {day} stored."),
    "bridge_sums": (
        "期初加各项等于期末，分毫不差；分界点漂移单列，不计入。",
        "Start and parts add up to the end, exactly; drift stands beside.",
    ),
    "title_alluvial": (
        "最大的一支：{n} 人从“{origin}”到“{target}”",
        "The largest stream: {n} from {origin} to {target}",
    ),
    "title_alluvial_calm": ("没有可以画出的变动（截至{as_of}）", "No move large enough to draw, as of {as_of}"),
    "title_bridge_customers": (
        "“{tier}”变化最大：{change} 人（时间流逝 {clock}，客户行为 {behaviour}）",
        "{tier} {change}: clock {clock}, behaviour {behaviour}",
    ),
    "title_bridge_spend": (
        "“{tier}”的消费变化最大：{change}（时间流逝 {clock}，客户行为 {behaviour}）",
        "{tier} {change}: clock {clock}, behaviour {behaviour}",
    ),
    "title_bridge_hidden": ("人数太少，不画（少于 {n}）", "Too few customers to draw, under {n}"),
    "bridge_parts_hidden": ("* 涉及不到 {n} 人，不细分", "* fewer than {n} customers in a part: not split"),
    "title_waterfall": ("“{tier}”：从 {start} 到 {end}", "{tier}: from {start} to {end}"),
    "axis_bridge_customers": ("客户数的变化（{since}至{as_of}）", "Change in customers, {since} to {as_of}"),
    "axis_bridge_spend": (
        "近 {days} 天消费的变化（{sign}，{since}至{as_of}）",
        "Change in spend of the last {days} days, {sign}, {since} to {as_of}",
    ),
    "axis_customers_on": ("客户数", "Customers"),
    "title_matrix": (
        "“{tier}”中 {stayed} 留在原处，{went} 去了“{target}”",
        "{stayed} of {tier} stayed, {went} went to {target}",
    ),
    "title_matrix_hidden": ("人数太少，比例不显示（少于 {n}）", "Too few customers to show shares, under {n}"),
    "axis_matrix_from": ("{since}的类型", "Type on {since}"),
    "axis_matrix_to": ("{as_of}的类型（占该行的比例）", "Type on {as_of}, share of the row"),
    "title_accounting": (
        "最近一期 {active} 人下单：{resurrected} 人回流，{dormant} 人沉睡",
        "{active} bought in the last period; {resurrected} came back, {dormant} went dormant",
    ),
    "title_cohorts": (
        "首次下单后第 {age} 个月，{share} 的客户再次下单",
        "{share} order again in month {age} after their first order",
    ),
    "title_cohorts_none": ("还没有满一期的客户批次（截至{as_of}）", "No cohort has completed a month as of {as_of}"),
    "title_hysteresis": (
        "{setting}：避免 {avoided} 的反复，晚报 {late} 的持久变动",
        "{setting}: {avoided} fewer flaps, {late} told late",
    ),
    "title_hysteresis_none": ("近 {days} 天的窗口下没有可比的反复", "No flaps to compare in the {days}-day window"),
    "axis_hysteresis": (
        "反复中避免的占比（左）；持久变动中晚报的占比（右）",
        "Share of flaps avoided (left); share of lasting changes told late (right)",
    ),
    "hysteresis_band": ("缓冲带 {band}", "band {band}"),
    "hysteresis_stay": ("停留 {n} 期", "stay {n}"),
    "hysteresis_and": ("或", " or "),
    "history_meter": (
        (
            "{customers} 位客户在 {n} 次评估中变动 {changes} 次；"
            "可判断的 {judged} 次中有 {flaps} 次（{share}）在两期内反复。"
        ),
        (
            "{customers} customers changed type {changes} times over {n} evaluations; {flaps} of the {judged} that can "
            "be judged ({share}) were undone within two evaluations."
        ),
    ),
    "checked_bridge_adds_up_passed": (
        "已核对：每个类型的人数和消费，期初加各项都等于期末。",
        "Checked: start and parts are the end, customers and money, for every type. ",
    ),
    "checked_bridge_adds_up_failed": (
        "注意：有的类型期初加各项不等于期末，请不要使用这张表。",
        "Care: start and parts are not the end for every type; do not use the bridge. ",
    ),
    "checked_buyers_add_up_passed": (
        "每月的下单人数都等于新增、留存、回流之和，上月的都等于留存与沉睡之和。",
        "Buyers of each month are new, retained or resurrected; those of the month before are retained or dormant. ",
    ),
    "checked_buyers_add_up_failed": (
        "注意：有的月份人数对不上。",
        "Care: buyers of a month do not add up. ",
    ),
    "checked_money_adds_up_passed": (
        "每月的消费分毫不差。",
        "The money of each month adds up to the cent.",
    ),
    "checked_money_adds_up_failed": ("注意：有的月份消费对不上。", "Care: the money of a month does not add up."),
}
