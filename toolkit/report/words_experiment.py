"""Labels and sentences about experiments and their plans, in Chinese and in English: tables, no logic."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    # names
    "units_customer": ("客户", "customers"),
    "units_cluster": ("群", "groups"),
    "or": ("或", " or "),
    "all_tiers": ("全部层级（加权）", "All tiers, weighted"),
    "quantity_spend": ("净消费", "spend"),
    "quantity_orders": ("订单", "orders"),
    "quantity_order_days": ("下单天数", "order days"),
    "quantity_active_days": ("活跃天数", "active days"),
    "quantity_interactions": ("互动", "interactions"),
    "quantity_opt_outs": ("退订", "opt-outs"),
    "quantity_messages": ("消息", "messages"),
    # strip of figures
    "tiers_worth_testing": ("值得测试的层级", "Tiers worth testing"),
    "seen_overall": ("整体可识别的最小效果", "Smallest effect seen overall"),
    "power_overall": ("整体把握度", "Power overall"),
    "customers_needed": ("可参与的人数", "Units that can take part"),
    "how_long": ("需要多久", "How long"),
    # pictures
    "can_see": ("可识别", "can see"),
    "by_formula": ("按公式", "by formula"),
    "by_simulation": ("按模拟", "by simulation"),
    # tables
    "metric": ("指标", "Metric"),
    "higher": ("升高", "higher"),
    "lower_way": ("降低", "lower"),
    "expected_share": ("计划占比", "Planned share"),
    "weight": ("权重", "Weight"),
    "baseline": ("现有水平", "Level before"),
    "rho": ("协变量 r 值", "Covariate's r"),
    "mde": ("可识别的最小效果", "Smallest seen"),
    "mde_unadjusted": ("不用协变量时", "Without covariate"),
    "power": ("把握度（模拟）", "Power (simulated)"),
    "units_needed": ("需要人数", "Needed"),
    "available": ("可用", "Available"),
    "proportional": ("按比例", "In proportion"),
    "neyman": ("偏向波动", "Towards noise"),
    "learn": ("值得测试", "Worth it?"),
    "learn_yes": ("是", "yes"),
    "learn_no": ("否", "no"),
    "learn_some": ("勉强", "hardly"),
    "promised": ("承诺的内容", "Promised"),
    "assigned_days": ("分组日期", "Assignment"),
    "state": ("状态", "State"),
    "state_planned": ("未开始", "not begun"),
    "state_running": ("进行中", "running"),
    "state_closed": ("已结束", "closed"),
    "all_arms": ("合计", "Together"),
    "one_question": ("问题", "Question"),
    "the_arms": ("组别和占比", "Arms and shares"),
    "the_unit": ("分组单位", "Unit of assignment"),
    "the_tiers": ("层级（分组时固定）", "Tiers, frozen at assignment"),
    "the_window": ("结果窗口", "Window of outcomes"),
    "the_primary": ("主要指标", "Primary metric"),
    "the_others": ("其他指标", "Other metrics"),
    "the_guardrails": ("护栏指标", "Guardrails"),
    "the_effect": ("值得做的最小效果", "Smallest effect worth acting on"),
    "the_level": ("显著性水平和把握度", "Level and power"),
    "the_covariate": ("协变量", "Covariate"),
    "the_costs": ("成本", "Costs"),
    "the_holdout": ("完全不参与的占比", "Held out of every arm"),
    "the_hash": ("实验文件指纹", "Hash of the experiment file"),
    "plan_written": ("计划写于", "Plan written as of"),
    "one_spend": ("一元消费", "unit of spend"),
    "one_orders": ("笔订单", "order"),
    "one_order_days": ("个下单日", "order day"),
    "one_active_days": ("个活跃日", "active day"),
    "one_interactions": ("次互动", "interaction"),
    "one_opt_outs": ("次退订", "opt-out"),
    "one_messages": ("条消息", "message"),
    "all_tiers_plain": ("全部层级", "All tiers"),
    "reading_day": ("读取结果的日期", "Read the result on"),
    "head_customer": ("客户数", "Customers"),
    "head_cluster": ("群成员数", "Members"),
    "pp": (" 个百分点", " pp"),
    "assigned_so_far": ("已分组", "Assigned so far"),
    "reading_in": ("距读取结果", "Result is due in"),
    "no_tier": ("无层级", "No tier"),
    "new_tier": ("新客户", "New"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    # figures and names
    "from_to": ("{low}\u00a0至\u00a0{high}", "{low}\u00a0to\u00a0{high}"),
    "interval_head": ("{level} 区间", "{level} interval"),
    "within": ("{n} 天内", "within {n} days"),
    "on_days": ("第 {first}–{last} 天", "on days {first} to {last}"),
    "metric_share": ("{span}有{of}的占比", "share with {of} {span}"),
    "metric_mean": ("{span}人均{of}", "mean {of} {span}"),
    "metric_count": ("{span}人均{of}次数", "mean number of {of} {span}"),
    "metric_ratio": ("{span}每{per}的{of}", "{of} per {per} {span}"),
    "tier_lift": ("{tier}（{lift}，区间 {span}）", "{tier} ({lift}, {span})"),
    "metric_lift": ("{metric}（{arm}，{lift}，区间 {span}）", "{metric} with {arm} ({lift}, {span})"),
    "and_others": ("另外 {n} 个", "{n} more"),
    "arm_size": ("{arm} {n}，计划 {planned}", "{arm} {n} where {planned} were planned"),
    "is_control": ("（对照）", " (control)"),
    "lift_of": ("{arm} 的提升", "Lift of {arm}"),
    # where there is none
    "no_experiment": (
        "这项研究还没有实验。要做一个，在 study.yaml 里写上文件名，再写实验文件，例如：",
        "This study has no experiment yet. To plan one, name its file in study.yaml and write the file, such as:",
    ),
    "why_no_experiment": ("没有实验。", "there is no experiment."),
    "experiments_listed": (
        "这项研究的全部实验，按开始时间排列。本页只看其中一个；参数 experiment 可以选另一个。",
        (
            "All experiments of this study by their start. This page looks at one; the parameter experiment "
            "chooses another."
        ),
    ),
    "plan_not_written": (
        "实验开始前没有写下计划（{file}）：这里看到的是现在按{day}之前的数据算的，不能当作事先的承诺。",
        (
            "No plan was written before it began ({file}): what is computed now from the days before {day} "
            "is no promise."
        ),
    ),
    "verdict_no_experiment": ("这项研究还没有实验。", "This study has no experiment yet."),
    "verdict_no_plan": ("{experiment} 还不能计划：{why}", "{experiment} cannot be planned yet: {why}"),
    "verdict_no_result": ("{experiment} 还没有结果：{why}", "{experiment} has no result yet: {why}"),
    "why_not_begun": ("{first}才开始分组。", "assignment begins on {first}."),
    "what_plan": ("实验计划", "The plan"),
    "what_effects": ("实验结果", "The result"),
    "effects_withheld": (
        "现在不显示效果，原因见本页开头。",
        "No effect is shown; the first lines of this page say why.",
    ),
    "no_guardrails": ("实验文件没有写护栏指标。", "The experiment file names no guardrail."),
    "no_profit": ("实验文件没有写利润（profit）。", "The experiment file asks for no profit."),
    # the plan
    "wanted_effect": ("值得做的是 {effect}", "{effect} is worth acting on"),
    "at_effect": ("真实效果为 {effect}时", "at a true effect of {effect}"),
    "plan_caption": ("真实效果为 {effect}时（{metric}）", "At a true effect of {effect} ({metric})"),
    "plan_length": (
        ("分组：{assigned}；每位的结果从自己的分组时刻起算 {window} 天，所以{day}之前看不到完整结果，全程 {days} 天。"),
        (
            "Assignment: {assigned}. Each outcome counts for {window} days from its own assignment, so "
            "nothing is complete before {day}: {days} days in all."
        ),
    ),
    "plan_fills": (
        "要让整体有想要的把握度，现有人数不够，按目前新增的速度还要 {weeks} 周。",
        (
            "There are too few now for the power that is wanted overall; at the present rate newcomers bring "
            "the rest in {weeks} weeks."
        ),
    ),
    "plan_never_fills": (
        "要让整体有想要的把握度，现有人数不够，也没有足够的新增来补。",
        "There are too few for the power that is wanted overall, and newcomers will not make up for it.",
    ),
    "plan_is_full": (
        "现有人数已经够整体达到想要的把握度。",
        "There are enough now for the power that is wanted overall.",
    ),
    "allocation_caption": ("{control} 以外的人数", "Units outside {control}"),
    "plan_groups": (
        "按群分组：设计效应 {effect}（组内相关 {icc}），有效样本要除以它。",
        (
            "Groups are assigned as wholes: design effect {effect} (intra-class correlation {icc}), by which "
            "the sample shrinks."
        ),
    ),
    "level_and_power": ("{alpha}（双侧），把握度 {power}", "{alpha} two-sided, power {power}"),
    "covariate_days": ("分组前 {n} 天的同一指标", "the same measure over the {n} days before assignment"),
    "guardrail_promise": ("{metric}，{way}不超过 {margin}", "{metric}, {way} by less than {margin}"),
    "cost_promise": ("{costs}；{metric} 的 {margin}算作利润", "{costs}; {margin} of {metric} is profit"),
    "axis_power": ("看出 {effect}真实效果的概率", "Probability of seeing a true effect of {effect}"),
    "title_power_all": ("每个层级都能看出 {effect}的效果", "Every tier can see an effect of {effect}"),
    "title_power_some": ("只有{tiers}能看出 {effect}的效果", "Only {tiers} can see an effect of {effect}"),
    "title_power_n": (
        "{all} 个层级中有 {n} 个能看出 {effect}的效果",
        "{n} of {all} tiers can see an effect of {effect}",
    ),
    "title_power_overall": (
        "只有合起来才能看出 {effect}的效果",
        "Only all tiers together can see an effect of {effect}",
    ),
    "title_power_none": ("没有一个层级有把握看出 {effect}的效果", "No tier can be relied on to see {effect}"),
    "title_power_blind": ("人数太少，看不出 {effect}的效果", "Too few to see an effect of {effect}: do not test"),
    "verdict_plan_yes": (
        (
            "值得测试：若真实效果是 {effect}（{metric}），有 {power_all} 的把握看出来，最小可识别 {mde}；全"
            "程 {days} 天，{day}读取结果。"
        ),
        (
            "Worth testing: a true effect of {effect} ({metric}) is seen with a probability of "
            "{power_all}, and effects from {mde} on can be relied on; it takes {days} days, until {day}."
        ),
    ),
    "verdict_plan_hardly": (
        (
            "勉强值得测试：若真实效果是 {effect}（{metric}），只有 {power_all} 的把握看出来，{mde}以上才可"
            "靠；全程 {days} 天，{day}读取结果。"
        ),
        (
            "Hardly worth testing: a true effect of {effect} ({metric}) is seen with a probability of only "
            "{power_all}, and effects from {mde} on can be relied on; it takes {days} days, until {day}."
        ),
    ),
    "verdict_plan_no": (
        (
            "不值得测试：真实效果是 {effect}（{metric}）时，看不出来的可能更大（把握度 {power_all}），{mde}"
            " 以上才可靠；全程 {days} 天，到{day}。"
        ),
        (
            "Not worth testing: a true effect of {effect} ({metric}) would be missed more often than seen "
            "(power {power_all}), and only effects from {mde} on can be relied on; it would take {days} "
            "days, until {day}."
        ),
    ),
    "verdict_plan_tiers": ("单独看：{parts}。", "Taken alone: {parts}."),
    "part_able": ("{tiers}看得出来", "{tiers} can see it"),
    "part_hardly": ("{tiers}勉强", "{tiers} hardly"),
    "part_blind": ("{tiers}不要单独测试", "do not test {tiers}"),
    "until_day": ("到{day}", "until {day}"),
    "why_windows_open": (
        "实验还在进行，结果窗口还没有结束（最后一个在{day}）。",
        "it is still running, and its windows are open (the last one until {day}).",
    ),
    "plan_to_write": (
        '计划还没有写下来：在{day}之前用 plan_experiment(...).write("{file}") 写下，才算承诺。',
        'No plan is written yet: plan_experiment(...).write("{file}") before {day} makes it a promise.',
    ),
    "why_no_tier_column": (
        "客户没有“{tier}”这个层级：它既不是客户快照的一列，也不是分层方案。",
        "customers have no tier {tier}: it is neither a column of the snapshot nor a scheme of tiers.",
    ),
}
