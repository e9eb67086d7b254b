"""Every sentence that people read, in Chinese and in English: one table, no logic."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
    "verdict_segments": (
        (
            "重要价值客户占 {customers}，贡献了近 {days} 天消费的 {spend}。"
            "曾经花得多、如今很久没来的客户有 {slipping} 人，他们在这段时间里花了 {money}：先挽留他们。"
        ),
        (
            "Champions are {customers} of customers and bring {spend} of spend in the last {days} days. {slipping} "
            "customers who spent much have gone quiet; they brought {money} in that time, so win them back first."
        ),
    ),
    "verdict_segments_calm": (
        "重要价值客户占 {customers}，贡献了近 {days} 天消费的 {spend}。没有花得多却很久没来的客户。",
        (
            "Champions are {customers} of customers and bring {spend} of spend in the last {days} days. No customer "
            "who spent much has gone quiet."
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
    "money_kept": ("金额一分不差", "and no money is lost"),
    "money_differs": ("但窗口内金额不一致，请核对", "but the window's money differs: look into it"),
    "ids_joined_only": (
        "同一个人的编号已合并；不合并的话，导出文件彼此矛盾，无法比较。",
        "Ids of one person are joined; apart, the exports contradict each other, so there is nothing to compare with.",
    ),
    "ids_joined": (
        (
            "到{day}为止见到的 {ids} 个编号是 {people} 个人：同一个人的编号已合并，{kept}。"
            "合并使 {moved} 人换了类型（与只看本人编号相比），其中 {moved_by_cuts} 人只因分界点移动。"
        ),
        (
            "The {ids} ids seen up to {day} are {people} people: ids of one person are joined, {kept}. "
            "Joining puts {moved} people into another type than their own id alone had, {moved_by_cuts} of them only "
            "because cut points moved."
        ),
    ),
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
    "title_weeks": (
        "通常每周 {median} 行订单，最多的一周 {peak} 行",
        "A usual week brings {median} order lines, the busiest {peak}",
    ),
    "week_from": ("{day}起的一周", "week from {day}"),
    "season_part": ("{season}（{span}，{length} 天中的 {days} 天）", "{season} ({span}: {days} of {length} days)"),
    "season_cut": (
        "截至{day}的 {window} 天只包含一部分{seasons}。",
        "The {window} days up to {day} hold only a part of {seasons}. ",
    ),
    "season_days": (
        "{season}在两个时段里的天数不同：{now} 天，之前 {then} 天。",
        "{season}: {now} days in this period, {then} in the earlier one. ",
    ),
    "season_care": ("比较时请留意。", "Compare with care."),
    "title_ledger": (
        "{rows} 行中有 {used} 计入分析，{quarantined} 行被隔离",
        "{used} of {rows} rows are used, {quarantined} quarantined",
    ),
    # one customer's card
    "card_title": ("客户 {id}", "Customer {id}"),
    "card_title_hidden": ("一位客户", "One customer"),
    "card_verdict": ("类型：{segment}。{traits}{standing}", "{segment}: {traits} {standing}"),
    "card_core": (
        "在核心之内；不再下单的话，时间（R）保持到{day}。",
        "In the core: stays recent until {day} without a new order.",
    ),
    "card_short": ("离核心最短的一板是{dimension}：{gap}。", "Falls short of the core most: {dimension} ({gap})."),
    "card_timeline": (
        "{orders} 笔订单，净消费 {spend}，最近一笔在{last}",
        "Orders: {orders}, {spend}; the last on {last}",
    ),
    "card_timeline_prospect": ("截至{as_of}还没有下单", "No order up to {as_of}"),
    "card_alt": (
        "{title}。收到 {messages} 条消息，打开 {opened} 条；互动行为 {acts} 次。",
        "{title}. Messages: {messages}, opened: {opened}. Acts of engagement: {acts}.",
    ),
    "lane_orders": ("订单\n面积 = 金额", "Orders\narea = money"),
    "lane_contacts": ("消息\n深色 = 打开", "Messages\ndark = opened"),
    "lane_events": ("互动\n每周次数，最高 {top}", "Engagement\nacts a week, up to {top}"),
    "lane_events_none": ("互动", "Engagement"),
    "lane_empty": ("没有记录", "nothing recorded"),
    "score_of": ("{score}（共{scores}）", "{score}\u00a0of\u00a0{scores}"),
    "score_best": ("{score} 分：{better} {cut}", "score {score}, since {better} {cut}"),
    "score_between": (
        "{score} 分：{better} {cut}，但没有{better} {next}",
        "score {score}, since {better} {cut} but not {better} {next}",
    ),
    "score_worst": ("{score} 分：没有{better} {next}", "score {score}, since not {better} {next}"),
    "score_only": ("{score} 分：买家之间分不出高下", "score {score}: buyers do not differ enough for more"),
    "side_high": ("；高：{better}买家的中位数 {split}", "; high, since {better} the median of buyers, {split}"),
    "side_low": ("；低：没有{better}买家的中位数 {split}", "; low, since not {better} the median of buyers, {split}"),
    "gap_recency": ("超出 {n} 天，下一单即可补足", "{n} days too long ago, which one order mends"),
    "gap_recency_one": ("超出 1 天，下一单即可补足", "1 day too long ago, which one order mends"),
    "gap_frequency": ("窗口内再下单 {n} 天", "{n} more order days in the window"),
    "gap_frequency_one": ("窗口内再下单 1 天", "1 more order day in the window"),
    "gap_monetary": ("窗口内再消费 {n}", "{n} more in the window"),
    "gap_kept": ("保持到{day}", "high until {day}"),
    "n_days": ("{n}\u00a0天", "{n}\u00a0days"),
    "n_days_one": ("1\u00a0天", "1\u00a0day"),
    "undated": ("* 导出时的值，不一定是当天的值", "* as exported, perhaps not as of the day"),
    "card_cuts": ("分界点学自{day}", "Cut points learned at {day}"),
    "card_acts": ("最近 {n} 项（共 {all} 项）", "The last {n} of {all} acts"),
    "card_opened": ("打开 {n}", "{n} opened"),
}
