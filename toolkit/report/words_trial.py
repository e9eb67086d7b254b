"""Labels and sentences about the results of experiments, in Chinese and in English: tables, no logic."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    "lift_overall": ("整体提升", "Lift overall"),
    "relative_lift": ("相对提升", "Relative lift"),
    "control_value": ("对照组", "Control"),
    "units_analysed": ("参与分析", "Units analysed"),
    "sample_ratio": ("分组比例", "Sample ratio"),
    "green": ("正常", "as planned"),
    "amber": ("存疑", "doubtful"),
    "red": ("不符", "broken"),
    "tier_alone": ("仅看本层级", "the tier alone"),
    "drawn_to_all": ("向整体收缩", "drawn to the overall"),
    "share_of_draws": ("占重新分组次数的比例", "Share of re-assignments"),
    "axis_curve": (
        "没有效果时，差异相当于几个标准误（t 分布）",
        "Difference in standard errors if there were no effect (t distribution)",
    ),
    "arm_value": ("实验组", "Arm's value"),
    "lift": ("提升", "Lift"),
    "lift_shrunken": ("收缩后", "Drawn to all"),
    "interval_shrunken": ("收缩后区间", "Its interval"),
    "result": ("结论", "Result"),
    "welch": ("t 检验", "Welch"),
    "randomisation": ("随机化", "draws"),
    "status_better": ("更高", "higher"),
    "status_worse": ("更低", "lower"),
    "status_no_worthwhile_effect": ("没有值得做的效果", "no worthwhile effect"),
    "status_not_known": ("未知", "not known"),
    "status_too_few": ("样本太少", "too few"),
    "status_hidden": ("人数少，不显示", "not shown"),
    "status_holds": ("守住", "holds"),
    "status_broken": ("失守", "broken"),
    "guardrail": ("护栏指标", "Guardrail"),
    "margin": ("容忍幅度", "Margin"),
    "worse": ("不利方向", "Worse when"),
    "harm_bound": ("最多变差", "Harm is at most"),
    "value_lift": ("每单位增收", "Value gained per unit"),
    "offer_cost": ("每单位成本", "Cost per unit"),
    "profit_per_unit": ("每单位利润", "Profit per unit"),
    "profit_total_head": ("该组合计", "Total of the arm"),
    "p_both": ("p 值（校正后），检验", "p (adjusted), test"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    # the result: what is known
    "said_peeking": (
        "实验还在进行：最后一个结果窗口在{day}结束，在那之前不显示效果，因为边看边停会“看到”并不存在的效果。",
        (
            "It is still running: the last window closes on {day}, and no effect is shown before, because "
            "who looks early and stops at a good moment finds effects that are not there."
        ),
    ),
    "said_ratio_red": (
        (
            "分组比例与计划不符（{sizes}；p {p}），不显示效果：有什么把人移进或移出了某一组，差异可能只来自这"
            "些人。先查原因。"
        ),
        (
            "The arms are not of the sizes that were planned ({sizes}; p {p}), so no effect is shown: "
            "something took units out of an arm or put them in, and they may be all that differs. Find the "
            "cause first."
        ),
    ),
    "said_ratio_amber_shown": (
        "分组比例存疑（{sizes}；p {p}）：先查原因，再相信下面的结果。",
        "The sizes of the arms are doubtful ({sizes}; p {p}): look for the reason before relying on what follows.",
    ),
    "said_ratio_red_shown": (
        "分组比例与计划不符（{sizes}；p {p}）：下面的差异可能只来自缺失的人。",
        (
            "The arms are not of the sizes that were planned ({sizes}; p {p}): what follows may be due to "
            "who is missing."
        ),
    ),
    "said_failed_checks": ("先看没有通过的检查：{checks}。", "Read the failed checks first: {checks}."),
    "said_overall_better": (
        "{arm} 使 {metric}升高：{value}，{control} 为 {control_value}，提升 {lift}（{level} 区间 {span}，p {p}）。",
        (
            "{arm} raised the {metric}: {value} against {control_value} with {control}, a lift of {lift} "
            "({level} interval {span}, p {p})."
        ),
    ),
    "said_overall_worse": (
        "{arm} 使 {metric}降低：{value}，{control} 为 {control_value}，变化 {lift}（{level} 区间 {span}，p {p}）。",
        (
            "{arm} lowered the {metric}: {value} against {control_value} with {control}, a lift of {lift} "
            "({level} interval {span}, p {p})."
        ),
    ),
    "said_overall_apart": (
        (
            "{arm} 组的 {metric}不同，但不能说是它造成的：{value}，{control} 为 {control_value}，相差 {lift}（"
            "{level} 区间 {span}，p {p}）。"
        ),
        (
            "With {arm} the {metric} differs, which need not be its doing: {value} against {control_value} "
            "with {control}, {lift} ({level} interval {span}, p {p})."
        ),
    ),
    "said_overall_not_known": (
        (
            "{arm} 是否改变 {metric}还不知道：{value}，{control} 为 {control_value}，相差 {lift}（{level} 区间"
            " {span}，p {p}）。"
        ),
        (
            "Whether {arm} changes the {metric} is not known: {value} against {control_value} with "
            "{control}, {lift} ({level} interval {span}, p {p})."
        ),
    ),
    "said_overall_no_worthwhile_effect": (
        (
            "{arm} 即使改变 {metric}，也不到值得做的 {act}：{value}，{control} 为 {control_value}，相差 {lift}"
            "（{level} 区间 {span}，p {p}）。"
        ),
        (
            "{arm} changes the {metric} by less than the {act} worth acting on, if at all: {value} against "
            "{control_value} with {control}, {lift} ({level} interval {span}, p {p})."
        ),
    ),
    "said_overall_too_few": (
        "{arm} 对 {metric}的效果无法判断：样本太少（{control} 为对照，{act}）。",
        (
            "Nothing can be said of the effect of {arm} on the {metric}: too few units ({control} is the "
            "control, {act})."
        ),
    ),
    "said_overall_hidden": (
        "{arm} 对 {metric}的结果背后的人太少，不在公开页面上显示（{control}，{act}）。",
        "What {arm} did to the {metric} rests on too few people to be published ({control}, {act}).",
    ),
    "said_worthwhile_yes": ("超过了值得做的 {act}。", "That is more than the {act} worth acting on."),
    "said_worthwhile_no": ("但不到值得做的 {act}。", "But it is less than the {act} worth acting on."),
    "said_worthwhile_not_known": (
        "是否达到值得做的 {act}还不知道。",
        "Whether it reaches the {act} worth acting on is not known.",
    ),
    "said_thin": (
        "证据薄弱：几乎没有效果也差不多说得通。",
        "The evidence is thin: next to no effect fits nearly as well.",
    ),
    "said_brief_better": (
        "{arm} 使 {metric}由 {control_value} 升至 {value}：{lift}（{level} 区间 {span}）。",
        "{arm} raised the {metric} from {control_value} to {value}: {lift} ({level} interval {span}).",
    ),
    "said_brief_worse": (
        "{arm} 使 {metric}由 {control_value} 降至 {value}：{lift}（{level} 区间 {span}）。",
        "{arm} lowered the {metric} from {control_value} to {value}: {lift} ({level} interval {span}).",
    ),
    "said_by_tier": ("分层级看，{parts}。", "By tier: {parts}."),
    "said_by_tier_of": ("{arm} 分层级看，{parts}。", "{arm} by tier: {parts}."),
    "part_better": ("确实升高的是{tiers}", "surely higher in {tiers}"),
    "part_worse": ("确实降低的是{tiers}", "surely lower in {tiers}"),
    "part_no_worthwhile_effect": ("没有值得做的效果的是{tiers}", "no worthwhile effect in {tiers}"),
    "part_not_known": ("{tiers}未知", "not known in {tiers}"),
    "known_before": ("分组前的 {name}", "{name} before assignment"),
    "said_tiers_differ": (
        "{arm} 的效果因层级而异（交互检验 p {p}）。",
        "The effect of {arm} differs between tiers (interaction p {p}).",
    ),
    "said_tiers_alike": (
        "看不出 {arm} 的效果因层级而异（交互检验 p {p}），但这不等于各层级一样。",
        (
            "There is no sign that the effect of {arm} differs between tiers (interaction p {p}), which does "
            "not say that it is the same in all."
        ),
    ),
    "said_tiers_untested": (
        "{arm} 的效果是否因层级而异无法检验（p {p}）。",
        "Whether the effect of {arm} differs between tiers cannot be tested (p {p}).",
    ),
    "said_tiers_better": (
        "单独看，并按 {n} 次比较校正，{arm} 在这些层级确实更高：{tiers}。",
        "Taken alone, and adjusted for {n} such comparisons, {arm} is higher in {tiers}.",
    ),
    "said_tiers_worse": (
        "单独看，并按 {n} 次比较校正，{arm} 在这些层级确实更低：{tiers}。",
        "Taken alone, and adjusted for {n} such comparisons, {arm} is lower in {tiers}.",
    ),
    "said_tiers_no_worthwhile_effect": (
        "这些层级里 {arm} 的效果不到值得做的 {act}：{tiers}。",
        "In {tiers}, {arm} does less than the {act} worth acting on.",
    ),
    "said_tiers_not_known": ("{arm} 在这些层级的效果还不知道：{tiers}。", "Not known: the effect of {arm} in {tiers}."),
    "said_expect": (
        "挑出来的层级看起来总比实际好，更合理的预期是 {lifts}。",
        "A tier that is picked because it stands out looks better than it is: rather expect {lifts}.",
    ),
    "said_no_power": (
        "计划时的把握度只有：{powers}，所以“看不出”说明不了什么。",
        "The plan gave little power ({powers}), so that seeing nothing says little.",
    ),
    "said_secondary": (
        "另外还做了 {n} 个比较（控制错误发现率），其中 {found} 个不同：{metrics}。",
        "{n} other comparisons were made (false discoveries controlled), {found} of them different: {metrics}.",
    ),
    "said_secondary_none": (
        "另外还做了 {n} 个比较（控制错误发现率），没有发现不同。",
        "{n} other comparisons were made (false discoveries controlled), and none is different.",
    ),
    "said_guardrails": ("护栏指标：{guardrails}。", "Guardrails: {guardrails}."),
    "guardrail_holds": (
        "{metric}（{arm}）守住，变差不到 {margin}",
        "{metric} with {arm} holds, harm is under {margin}",
    ),
    "guardrail_broken": ("{metric}（{arm}）失守（幅度 {margin}）", "{metric} with {arm} is broken (margin {margin})"),
    "guardrail_not_known": (
        "{metric}（{arm}）是否守住还不知道（幅度 {margin}）",
        "{metric} with {arm} is not known to hold (margin {margin})",
    ),
    "said_profit_pays": (
        "扣除成本，{arm} 每单位多赚 {profit}（区间 {span}）。",
        "After its cost, {arm} pays: {profit} a unit ({span}).",
    ),
    "said_profit_costs": (
        "扣除成本，{arm} 每单位反而 {profit}（区间 {span}）。",
        "After its cost, {arm} loses money: {profit} a unit ({span}).",
    ),
    "said_profit_not_known": (
        "扣除成本，{arm} 是否赚钱还不知道：每单位 {profit}（区间 {span}）。",
        "Whether {arm} pays after its cost is not known: {profit} a unit ({span}).",
    ),
    "said_scope": (
        (
            "以上说的是分到组的 {n} 个{unit}，不论优惠是否送达（意向分析），时间是分组后 {window} 天；不涉及"
            "其他人、别的优惠或更久以后。"
        ),
        (
            "All of it is about the {n} {unit} that were assigned, whether or not the offer reached them "
            "(intention to treat), over the {window} days after; it says nothing of others, of another offer "
            "or of what comes later."
        ),
    ),
    # the result: pictures and tables
    "ratio_caption": (
        "计划占比：{shares}。p 是照计划分组、偏离仍会这么大的概率。",
        "Planned shares: {shares}. p is how often counts would be as far off as these by chance.",
    ),
    "ratio_caption_by_tier": (
        "计划占比：{shares}，有的层级另有占比。p 是照计划分组、偏离仍会这么大的概率。",
        (
            "Planned shares: {shares}, other ones in some tiers. p is how often counts would be as far off "
            "as these by chance."
        ),
    ),
    "ratio_these": ("共 {n} 次检验，校正后最小的 p 是 {p}。", "{n} tests were made; the smallest adjusted p is {p}."),
    "ratio_further": (
        "连同按日期和来源的 {more} 次，共做 {n} 次检验，校正后最小的 p 是 {p}。",
        "With {more} further tests by day and source, {n} were made; the smallest adjusted p is {p}.",
    ),
    "overall_caption": (
        "各层级按占全部参与者的比例加权；第一行决定结论，其余是次要指标",
        "Tiers weighted by their share of all units; the first row decides, the others are secondary",
    ),
    "others_caption": ("其他指标，分层级（控制错误发现率）", "Other metrics by tier, false discoveries controlled"),
    "guardrails_caption": (
        "最多变差：区间里最坏的一端；小于容忍幅度才算守住",
        "Harm is at most the worse end of the interval; a guardrail holds where that is under the margin",
    ),
    "profit_caption": (
        "增收的 {margin}减去优惠成本；不含其他成本",
        "{margin} of the value gained, less the offer's cost; no other cost",
    ),
    "axis_forest": ("与 {control} 相差：{metric}", "Difference from {control}: {metric}"),
    "axis_forest_points": ("与 {control} 相差（百分点）：{metric}", "Percentage points against {control}: {metric}"),
    "too_small_to_act": ("不到 {effect}，不值得做", "under {effect}, not worth acting on"),
    "title_forest_better": ("确实升高：{tiers}", "Surely higher: {tiers}"),
    "title_forest_worse": ("确实降低：{tiers}", "Surely lower: {tiers}"),
    "title_forest_better_n": ("{all} 个层级中 {n} 个确实升高", "Surely higher in {n} of {all} tiers"),
    "title_forest_worse_n": ("{all} 个层级中 {n} 个确实降低", "Surely lower in {n} of {all} tiers"),
    "title_forest_none": ("没有一个层级单独看得出确实的效果", "No tier taken alone shows a sure effect"),
    "title_forest_few": ("每个层级的样本都太少", "Every tier has too few units"),
    "this_result": ("这次的结果 {lift}", "this result: {lift}"),
    "axis_draws": (
        "在每个层级内重新随机分组 {n} 次得到的差异，相当于几个标准误",
        "Difference in standard errors, over {n} re-assignments within tiers",
    ),
    "title_draws": (
        "若没有效果，这么大的差异只有 {p} 的机会出现",
        "Without any effect, so large a difference comes up {p} of the time",
    ),
    "title_draws_usual": (
        "即使没有效果，这么大的差异也有 {p} 的机会出现",
        "Even without any effect, so large a difference comes up {p} of the time",
    ),
    "method_welch": (
        "检验：Welch t 检验（方差不合并，自由度按 Satterthwaite；{n} 次重新分组）。",
        "The test is Welch's (variances not pooled, degrees of freedom after Satterthwaite; {n} re-assignments).",
    ),
    "method_randomisation": (
        "检验：在层级内重新随机分组 {n} 次的学生化随机化检验，因为数据偏斜，t 检验会失真。",
        (
            "The test is a studentised re-randomisation within tiers, {n} draws, because the outcome is too "
            "skewed for a t-test at these sizes."
        ),
    ),
    "method_covariate": (
        "用分组前的同一指标做协变量，差异的方差减少了 {share}。",
        "The same measure before assignment takes {share} of the variance out of the difference.",
    ),
    "method_interaction": (
        "层级与 {arm} 的交互：F = {statistic}（自由度 {df_num} 和 {df_den}），p {p}。",
        "Interaction of tiers with {arm}: F = {statistic} on {df_num} and {df_den} degrees of freedom, p {p}.",
    ),
    "said_ratio_running_red": (
        "分组比例与计划不符（{sizes}；p {p}）：有什么在左右谁进了哪一组，先停下来查原因。",
        (
            "The arms are not of the sizes that were planned ({sizes}; p {p}): something decides who is in "
            "which arm, so stop and find the cause."
        ),
    ),
    "said_ratio_running_amber": (
        "分组比例存疑（{sizes}；p {p}）：查一查原因。",
        "The sizes of the arms are doubtful ({sizes}; p {p}): look for the reason.",
    ),
}
