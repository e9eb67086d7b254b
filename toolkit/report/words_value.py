"""Labels and sentences about what customers are worth, in Chinese and in English: tables, no logic."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    # strip of figures
    "expected_spend_ahead": ("预期消费", "Expected spend"),
    "still_alive": ("复购客户中仍活跃（估计）", "Repeat buyers still active"),
    "to_save_first": ("先挽留的客户", "To save first"),
    "top_fifth_expected": ("前 20% 买家的预期占比", "Expected from the top fifth"),
    # tables
    "mean_p_alive": ("活跃概率", "Still active"),
    "expected_spend": ("预期消费", "Expected spend"),
    "expected_spend_given_active": ("若都活跃的预期消费", "If all stay active"),
    "mean_spend": ("人均预期消费", "Per buyer"),
    "p_alive": ("仍活跃的概率", "Chance of being active"),
    "risk": ("风险", "Risk"),
    "parameter": ("参数", "Parameter"),
    "estimate": ("估计", "Estimate"),
    # pictures
    "tracked_actual": ("实际", "actual"),
    "tracked_expected": ("模型", "expected"),
    "cumulative_repeats": ("累计复购天数", "Repeat order days, added up"),
    "fitted_to": ("模型只知道到这一天", "the model knows up to this day"),
    "all_worth_alike": ("人人预期相同", "if all were worth the same"),
    "share_of_buyers_worth_most_first": (
        "买家占比（按预期消费从高到低）",
        "Share of buyers, those worth most first",
    ),
    # the card
    "ahead": ("未来", "What lies ahead"),
    "drivers_of": ("什么提高或降低风险", "What raises and what lowers the risk"),
    "rhythm": (
        "节奏：最近下单（天前）/ 下单天数 / 首次下单（天前）/ 窗口内下单天数 / 闲置天数",
        "Rhythm: days since last order / order days / days since first order / order days in window / days idle",
    ),
    "typical": ("一般买家", "Typical"),
    "effect_on_risk": ("对风险", "Effect on risk"),
    "raises": ("提高", "raises"),
    "lowers": ("降低", "lowers"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "band_any": ("全部相同", "all alike"),
    "verdict_value": (
        "{buyers} 位买家未来 {n} 天预期消费 {spend}（{low} 到 {high}）；20% 的买家占其中 {fifth}。",
        (
            "{buyers} buyers are expected to spend {spend} in the next {n} days ({low} to {high}); a fifth "
            "of them bring "
            "{fifth} of it."
        ),
    ),
    "verdict_save": (
        "先挽留 {save} 人（{share}）：风险金额 {money} 中，有一半在他们身上。",
        " Save {save} first ({share} of buyers): half of the {money} at risk is with them.",
    ),
    "of_repeaters": ("共 {n}", "of {n}"),
    "half_of_money": ("一半的风险金额", "half of it all"),
    "verdict_no_value": ("客户价值还无法估计：{why}", "Value cannot be estimated yet: {why}"),
    "title_save": (
        "从这一格开始：{n} 人，风险金额 {money}",
        "Start here: {n} buyers with {money} at risk",
    ),
    "title_save_hidden": ("人数太少，不画（少于 {n}）", "Too few buyers to draw, under {n}"),
    "axis_grid_risk": ("未来 {n} 天不下单的风险", "Risk of no order within {n} days"),
    "axis_grid_value": ("若活跃，{n} 天预期消费", "Spend expected in {n} days if active"),
    "axis_money_at_risk": (
        "未来 {n} 天（{sign}）：深色为风险金额，灰色为若都活跃的预期消费",
        "Next {n} days, {sign}: at risk in colour, expected if all stay active in grey",
    ),
    "title_money_at_risk": (
        "“{tier}”的风险金额最多：{money}，占 {share}",
        "Most is at risk with {tier}: {money}, {share} of all",
    ),
    "axis_mean_spend_ahead": (
        "未来 {n} 天人均预期消费（{sign}），线段为 95% 区间",
        "Expected spend per buyer in the next {n} days, {sign}, with 95% intervals",
    ),
    "title_spend_ahead": (
        "“{tier}”价值最高：未来 {n} 天人均 {money}",
        "{tier} are worth most: {money} each in the next {n} days",
    ),
    "title_alive": (
        "仍活跃的概率：“{most}”{most_share}，“{least}”{least_share}",
        "Still active: {most} {most_share}, {least} {least_share}",
    ),
    "axis_alive": (
        "复购客户仍活跃的平均概率（截至{as_of}）",
        "Mean chance that a repeat buyer is still active, as of {as_of}",
    ),
    "title_tracking_over": (
        "之后的复购，模型比实际高 {share}",
        "After that day it expects {share} more orders than came",
    ),
    "title_tracking_under": (
        "之后的复购，模型比实际低 {share}",
        "After that day it expects {share} fewer orders than came",
    ),
    "title_tracking_even": ("之后的复购，模型与实际一致", "After that day it expects as many orders as came"),
    "title_tracking_none": ("之后没有复购", "No repeat order came after that day"),
    "axis_share_of_expected": ("未来 {n} 天预期消费占比", "Share of spend expected, {n} days"),
    "title_expected_pareto": (
        "20% 的买家占未来 {n} 天预期消费的 {spend}",
        "20% of buyers bring {spend} of the spend expected in {n} days",
    ),
    "independence_holds": (
        "购买次数与每次金额几乎无关（相关系数 {r}，区间 {low} 到 {high}），符合 Gamma-Gamma 的假设。",
        (
            "How often and how much are nearly unrelated (correlation {r}, interval {low} to {high}), as the "
            "Gamma-Gamma model "
            "assumes."
        ),
    ),
    "independence_fails": (
        (
            "购买次数与每次金额相关（相关系数 {r}，区间 {low} 到 {high}），而 Gamma-Gamma 假设两者无关："
            "常买的人的预期消费会有偏差。"
        ),
        (
            "How often and how much are related (correlation {r}, interval {low} to {high}), which the "
            "Gamma-Gamma model "
            "assumes they are not: what is expected of frequent buyers is somewhat off."
        ),
    ),
    "independence_unknown": ("复购客户太少，无法检验。", "Too few repeat buyers to tell."),
    "list_not_published": (
        "名单不公布。在自己的笔记本里，这里列出风险金额最高的买家。",
        "Lists of people are not published. In your own notebook the buyers with most at risk stand here.",
    ),
    "list_caption": (
        "按风险金额排列的前 {n} 位买家；编号是假名。",
        "The {n} buyers with most money at risk; ids are pseudonyms.",
    ),
    "value_caveats": (
        (
            "预期消费假设客户的习惯不变：促销、涨价、新品不在其中。风险金额是活跃时的预期消费乘以不下单的风险，"
            "不是挽留能得到的钱；挽留值多少，要用随机实验来量。"
        ),
        (
            "Expected spend assumes that habits stay as they are: no promotion, no new price, no new "
            "product. Money at risk is not what a "
            "campaign would bring back; only a randomised experiment can tell that."
        ),
    ),
    "intervals_of_value": (
        "区间只含参数的不确定性，不含个人的偶然。",
        "Intervals hold the uncertainty of the parameters, not the chance in what one person does.",
    ),
    "alive_caption": (
        "活跃概率只含复购客户：BG/NBD 认为只买过一次的人还没有机会离开。",
        (
            "The chance of being active is that of repeat buyers: for BG/NBD somebody who ordered once has "
            "had no chance "
            "to leave."
        ),
    ),
    "tracking_note": (
        "模型只用{day}以前的数据拟合；之后的 {n} 天里，同一批买家实际复购 {actual}，模型预期 {expected}。",
        (
            "The model knows nothing after {day}; in the {n} days since, the same buyers made {actual} "
            "repeat orders, and "
            "it expected {expected}."
        ),
    ),
    "why_table_serves": (
        "BG/NBD 没有收敛，由经验表代替，经验表说不出过去。",
        "BG/NBD did not converge and a table serves, which tells no past.",
    ),
    "why_no_tracking": ("记录太短，没有可以留出来检验的时间。", "the log is too short to keep some of it back."),
    "value_served": (
        "下单模型：{orders}；金额模型：{spend}。",
        "Model of orders: {orders}; model of order value: {spend}.",
    ),
    # the card
    "risk_of_days": ("{n} 天不下单的风险", "Risk of no order in {n} days"),
    "spend_of_days": ("{n} 天预期消费", "Expected spend in {n} days"),
    "card_no_outlook": ("还无法估计：{why}", "Not estimated: {why}"),
    "card_ahead_caption": (
        "从全部买家学来（截至{as_of}）；预期消费后为 95% 区间。",
        "Learned from all buyers as of {as_of}; expected spend with its 95% interval. ",
    ),
    "card_drivers_caption": (
        "与一般买家（训练数据的中位数）相比，风险最大的三个推手和三个阻力；相关不等于因果。",
        (
            "The three strongest on either side, against the median buyer; they go along with risk and need not "
            "cause it."
        ),
    ),
}
