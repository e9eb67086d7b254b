"""Labels and sentences about tiers, in Chinese and in English: tables, no logic."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    # columns of the snapshot
    "occupation": ("职业", "Occupation"),
    "interests": ("兴趣", "Interests"),
    "followers": ("粉丝数", "Followers"),
    "override": ("手动分层", "Set by hand"),
    "offers": ("收到的报价次数", "Offers received"),
    "idle_days": ("闲置天数", "Days idle"),
    "interaction_rate": ("日均互动", "Interactions per active day"),
    "top_layer": ("买过的最高产品层", "Highest product layer bought"),
    "lead_in_product": ("首个引流产品", "First lead-in product"),
    "lines": ("窗口内付费行数", "Paid lines in window"),
    "main_price_band": ("主要价格带", "Main price band"),
    "high_band_share": ("高价带占比", "Share in top price band"),
    "low_band_share": ("低价带占比", "Share in lowest price band"),
    # every scheme, stages and channels
    "scheme": ("分层方案", "Scheme"),
    "figure": ("指标", "Figure"),
    "interval": ("95% 区间", "95% interval"),
    "count_of": ("人数", "Count"),
    "figure_conversion": ("转化率（期内下单）", "Conversion (ordered in the period)"),
    "figure_back_on_day_1": ("新客次日留存", "Newcomers back on day 1"),
    "figure_back_on_day_7": ("新客第 7 日留存", "Newcomers back on day 7"),
    "figure_back_on_day_30": ("新客第 30 日留存", "Newcomers back on day 30"),
    "figure_active_share": ("活跃占比", "Active share"),
    "figure_retention": ("留存率", "Retention (not fallen further)"),
    "figure_orders_per_customer": ("人均订单数", "Orders per customer"),
    "figure_spend_per_customer": ("人均净消费", "Spend per customer"),
    "figure_new_to_old": ("新老客比（买家）", "New buyers per returning buyer"),
    "figure_wake_rate": ("唤醒率", "Wake rate"),
    "figure_return_rate": ("回来的占比", "Share who came back"),
    "figure_recall_rate": ("召回率（触达过的）", "Recall rate (of those contacted)"),
    "figure_natural_return": ("自然回流率（没有触达的）", "Natural return (of those not contacted)"),
    "joined": ("窗口内加入", "Joined in window"),
    "converted": ("其中已下单", "Of them ordered"),
    "conversion": ("转化率", "Conversion"),
    "cost": ("花费", "Cost"),
    "cost_per_customer": ("每客成本", "Cost per customer"),
    "cost_per_buyer": ("每个买家成本", "Cost per buyer"),
    "return": ("投入产出比", "Return per unit of cost"),
    "return_interval": ("投入产出比区间", "95% interval of the return"),
    "not_known": ("未知", "not known"),
    # portraits
    "over_everybody": ("明显多于全体", "Surely more than everybody"),
    "under_everybody": ("明显少于全体", "Surely fewer than everybody"),
    "buys": ("买得最多", "Buys most"),
    "reads": ("看得最多", "Reads most"),
    "busiest_hours": ("最活跃的三小时", "Busiest three hours"),
    "complaints_per_100": ("每百人投诉", "Complaints per 100"),
    # one customer's tiers
    "tiers_now": ("所在层级和原因", "Tiers and why"),
    "tiers_over_time": ("层级变化", "Tiers over time"),
    "because": ("依据", "Because"),
    "tier_rule": ("规则", "Rule"),
    "since": ("起", "Since"),
    "until": ("止", "Until"),
    "changed": ("变化", "What changed"),
    "unseen": ("还未出现", "Not known yet"),
    "word_and": ("且", "and"),
    "word_or": ("或", "or"),
    "word_not": ("并非", "not"),
    "word_in": ("属于", "is one of"),
    "word_missing": ("缺失", "missing"),
    "word_else": ("其余", "else"),
    "mid": ("中", "mid"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "schemes_left_out": (
        "缺少所需的表，以下方案无法计算：{names}。",
        "Not computed, for want of the tables they need: {names}.",
    ),
    "axis_grid": (
        "宽条：客户占比；细条：近 {days} 天净消费占比（深色价值高）",
        "Wide: share of customers. Thin: share of spend in the last {days} days. Dark is valuable",
    ),
    "title_grid_plain": ("每种分层方案的构成", "How customers fall into each scheme"),
    "fewer": ("不到 {n}", "<{n}"),
    "n_of": ("{n}（共 {of}）", "{n} of {of}"),
    "axis_index": (
        "{attribute}：占比指数（100 = 全体；线为 95% 区间）",
        "{attribute}: share in the tier, 100 is everybody's; lines are 95% intervals",
    ),
    "title_index": (
        "“{tier}”里“{value}”的占比是全体的 {times} 倍",
        "{tier}: {value} {times} times as common as overall",
    ),
    "title_index_none": (
        "{attribute}：各层与全体没有可靠的差别",
        "{attribute}: no tier is surely unlike everybody",
    ),
    "axis_hour": ("当地时间（小时）", "Hour of the day, local time"),
    "axis_hour_share": ("近 {days} 天该行为的占比", "Share of its acts, last {days} days"),
    "axis_hour_index": ("指数（100 = 全体同一小时）", "Index, 100 is everybody at that hour"),
    "title_hours": ("最活跃的是 {hour} 这一小时", "The busiest hour starts at {hour}"),
    "title_tier_hours": (
        "“{tier}”在 {hour} 的活跃度是全体的 {times} 倍",
        "{tier} are {times} times as busy as everybody at {hour}",
    ),
    "axis_stages": ("客户数（{day}）", "Customers on {day}"),
    "axis_key_figure": (
        "之后到 {day} 的主要指标\n（线为 95% 区间）",
        "Key figure up to {day};\nlines are 95% intervals",
    ),
    "title_stages": ("{share} 的客户在{stage}", "{share} of customers are in {stage}"),
    "missing_events": ("没有行为表，活跃只看订单。", "Without a table of events, active means ordered. "),
    "missing_contacts": (
        "没有触达表，召回率和自然回流率无从得知。",
        "Without a table of messages, recall and natural return are not known. ",
    ),
    "missing_newcomers": (
        "没有加入日期，新客留存无从得知。",
        "Without a day of joining, retention of newcomers is not known. ",
    ),
    "no_channels": (
        "没有来源渠道和加入日期，无法比较渠道。",
        "Without acquisition channel and day of joining, channels cannot be compared.",
    ),
    "no_costs": (
        "没有与渠道对应的花费，无法计算获客成本和投入产出比。",
        "Without costs by channel, cost per customer and return are not known.",
    ),
    "channels_apart": (
        (
            "窗口内新客的消费与花费之比：{best} 最高（{high}），{worst} 最低（{low}），区间不重叠："
            "下一笔预算可从 {worst} 移一步到 {best}。"
        ),
        (
            "Newcomers of the window spent most per unit of cost from {best} ({high}) and least from {worst} ({low}), "
            "with intervals apart: move the next step of the budget from {worst} to {best}. "
        ),
    ),
    "channels_alike": (
        (
            "窗口内新客的消费与花费之比：{best} 最高（{high}），{worst} 最低（{low}），但区间重叠："
            "预算先不动，过一期再看。"
        ),
        (
            "Newcomers of the window spent most per unit of cost from {best} ({high}) and least from {worst} ({low}), "
            "but the intervals overlap: leave the budget as it is and look again. "
        ),
    ),
    "channel_only": (
        "窗口内新客的消费与花费之比：{best} 为 {high}。",
        "Newcomers of the window spent {high} per unit of cost from {best}. ",
    ),
    "no_control": (
        "这是已经发生的事，没有对照组：再投一笔能带来多少，要靠留出对照组的测试回答。",
        (
            "This is what happened, without a control: what the next unit of money brings, only a test with a hold-out "
            "can say."
        ),
    ),
    "no_traits": ("客户表没有属性，无法画像。", "No attribute of customers is known, so there is no portrait."),
    "no_habits": (
        "订单没有商品编号，也没有时刻和行为，看不出买什么、看什么、何时活跃。",
        "Orders have no products and no hours, and there are no events: what is bought, read and when is not known.",
    ),
    "few_acts": ("行为太少，看不出时刻。", "Too few acts to say at which hours."),
    "no_hours": ("导出只有日期，没有时刻。", "The export has days only, no hours of the day."),
    "undated_traits": (
        "* 导出时的值，不一定是当天的值。× 是占全体占比的倍数。",
        "* as exported, perhaps not as of the day. × is the multiple of everybody's share.",
    ),
    "multiples": ("× 是占全体占比的倍数。", "× is the multiple of everybody's share."),
    "card_tiers": ("分界点学自{day}，各月相同", "Cut points learned at {day}, the same for every month"),
    "rule_else": ("以下都不成立：", "else, since none of these holds: "),
    "rule_up": ("；升一级，因为", "; one class up, for "),
    "rule_by_hand": ("（手动）", " (by hand)"),
    "rule_unknown": ("未知", "is not known"),
    "rule_missing": ("缺失", "is missing"),
    "by_hand": ("手动设定（规则给出：{tier}）", "set by hand (the rules say {tier})"),
    "moved_from_to": ("{name}由 {before} 变为 {after}", "{name}: {before} → {after}"),
}

SCHEMES: dict[str, tuple[str, str]] = {
    "segment": ("RFM 八类", "RFM type"),
    "payment_tier": ("付费层级", "Payment tier"),
    "value_class": ("价值维度", "Value"),
    "matrix": ("矩阵模型", "Matrix"),
    "purchase_habit": ("购买习惯", "Purchase habit"),
    "contribution": ("贡献度", "Contribution"),
    "ladder": ("四级阶梯", "Ladder"),
    "stage": ("生命周期阶段", "Stage"),
    "phase": ("生命周期大期", "Phase"),
    "layer": ("三层金字塔", "Product layer"),
    "marketed": ("是否营销过", "Marketed to"),
    "engagement": ("互动程度", "Engagement"),
    "need": ("需求维度", "Need"),
    "recommendation": ("推荐意愿", "Recommendation"),
    "behaviour_band": ("消费行为", "Purchase behaviour"),
    "activity_band": ("活跃度", "Activity"),
    "influence_band": ("社交影响力", "Social influence"),
}
"""Names of the schemes."""

TIERS: dict[str, tuple[str, str]] = {
    "payment_tier.high": ("高付费", "High payers"),
    "payment_tier.mid": ("中付费", "Mid payers"),
    "payment_tier.low": ("低付费", "Low payers"),
    "value_class.high": ("高价值", "High value"),
    "value_class.general": ("一般价值", "General value"),
    "value_class.low": ("低价值", "Low value"),
    "matrix.often_large": ("高频高额", "Often, large"),
    "matrix.often_small": ("高频低额", "Often, small"),
    "matrix.seldom_large": ("低频高额", "Seldom, large"),
    "matrix.seldom_small": ("低频低额", "Seldom, small"),
    "purchase_habit.frequent": ("常购", "Frequent"),
    "purchase_habit.occasional": ("偶尔购", "Occasional"),
    "purchase_habit.potential": ("潜在", "Potential"),
    "contribution.super_fan": ("超级粉丝", "Super fans"),
    "contribution.die_hard": ("铁杆支持者", "Die-hards"),
    "contribution.ordinary": ("一般消费者", "Ordinary buyers"),
    "contribution.occasional_buyer": ("偶尔光顾者", "Occasional buyers"),
    "ladder.existing": ("存量", "Existing"),
    "ladder.high_potential": ("高潜力", "High potential"),
    "ladder.pre_churn": ("预流失", "Pre-churn"),
    "ladder.churned": ("流失", "Churned"),
    "ladder.prospect": ("未购客户", "Prospects"),
    "stage.maturity": ("成熟期", "Maturity"),
    "stage.growth": ("成长期", "Growth"),
    "stage.introduction": ("导入期", "Introduction"),
    "stage.dormancy": ("休眠期", "Dormancy"),
    "stage.loss": ("流失期", "Loss"),
    "phase.value_adding": ("增值期", "Value adding"),
    "phase.acquisition": ("获客期", "Acquisition"),
    "phase.retention": ("留存期", "Retention"),
    "layer.premium_core": ("核心层", "Premium core"),
    "layer.pool": ("流量池", "Pool"),
    "layer.lead_in": ("引流层", "Lead-in"),
    "layer.none": ("未入层", "None"),
    "marketed.yes": ("营销过", "Marketed to"),
    "marketed.no": ("未营销过", "Not marketed to"),
    "engagement.core_engaged": ("核心互动", "Core engaged"),
    "engagement.active": ("活跃", "Active"),
    "engagement.potential": ("潜在", "Potential"),
    "need.quality": ("重质量", "Quality"),
    "need.mixed": ("兼顾", "Mixed"),
    "need.price": ("价格敏感", "Price"),
    "need.unknown": ("未知", "Unknown"),
    "recommendation.promoter": ("推荐者", "Promoters"),
    "recommendation.passive": ("被动者", "Passives"),
    "recommendation.detractor": ("贬损者", "Detractors"),
    "recommendation.none": ("未作答", "No answer"),
    "behaviour_band.high": ("消费行为高", "High"),
    "behaviour_band.mid": ("消费行为中", "Mid"),
    "behaviour_band.low": ("消费行为低", "Low"),
    "activity_band.high": ("活跃度高", "High"),
    "activity_band.mid": ("活跃度中", "Mid"),
    "activity_band.low": ("活跃度低", "Low"),
    "influence_band.high": ("影响力高", "High"),
    "influence_band.mid": ("影响力中", "Mid"),
    "influence_band.low": ("影响力低", "Low"),
}
"""Names of the classes, as ``scheme.class``."""
