"""Labels and sentences about risk, in Chinese and in English: tables, no logic."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    # strip of figures
    "buyers_at_high_risk": ("高风险客户", "Buyers at high risk"),
    "mean_risk": ("平均流失风险", "Mean risk"),
    "money_at_risk": ("风险金额", "Money at risk"),
    "auc_out_of_time": ("排序准确度（AUC，时间外）", "Ranking out of time (AUC)"),
    "calibration_slope": ("校准斜率（时间外）", "Calibration slope out of time"),
    "churn_window": ("建议的流失窗口", "Recommended churn window"),
    # pictures
    "mean_risk_short": ("平均", "Mean"),
    "not_ordered_yet": ("尚未再次下单的占比", "Share that has not ordered again"),
    "still_looked_at": ("尚未再次下单", "Not ordered yet"),
    "still_member": ("仍是会员的占比", "Share still a member"),
    "days_of_membership": ("入会后的天数", "Days since the membership started"),
    "late_entry": ("按进入观察的时间", "with late entry"),
    "naive_entry": ("当作从头观察", "as if seen from the start"),
    "raises_risk": ("提高风险", "raises risk"),
    "lowers_risk": ("降低风险", "lowers risk"),
    "as_predicted": ("预测即所得", "as predicted"),
    "axis_clock": ("多少天没有下单算流失", "Called lost after so many days without an order"),
    "axis_tenths": ("按预测风险从高到低分成十组", "Tenths of buyers by predicted risk, the riskiest first"),
    # tables of curves, drivers and the clock
    "median_days": ("再次下单的中位天数", "Median days to the next order"),
    "rmst": ("期限内未下单的平均天数", "Mean days without an order"),
    "not_reached": ("未达到", "not reached"),
    "p_adjusted": ("校正后 p 值", "p, adjusted"),
    "p_value": ("p 值", "p"),
    "driver": ("因素", "Driver"),
    "times": ("下一单慢几倍", "Slows the next order"),
    "way": ("方向", "Direction"),
    "window_candidate": ("窗口（天）", "Window, days"),
    "called_lost": ("判为流失", "Called lost"),
    "called_alive": ("判为活跃", "Called alive"),
    "lost_but_ordered": ("判为流失却又下单", "Called lost, yet ordered"),
    "alive_but_silent": ("判为活跃却没有下单", "Called alive, yet silent"),
    "window_change": ("窗口变动", "Window changed by"),
    "own_gaps": ("平均下单间隔的倍数", "Silent for so many own gaps"),
    "own_window": ("本层级建议窗口", "Window of its own"),
    "contrast": ("比较", "From → to"),
    # the back-test
    "contestant": ("模型", "Model"),
    "churn_model": ("生存模型", "Survival model"),
    "bg_nbd": ("BG/NBD", "BG/NBD"),
    "recency_rule": ("只看最近下单", "Recency rule"),
    "logistic": ("逻辑回归", "Logistic model"),
    "kaplan_meier": ("人人相同（Kaplan-Meier）", "Same for all (Kaplan-Meier)"),
    "brier": ("Brier 分数", "Brier score"),
    "log_loss": ("对数损失", "Log-loss"),
    "auc": ("AUC", "AUC"),
    "slope": ("校准斜率", "Slope"),
    "brier_difference": ("Brier 之差（区间）", "Brier against the survival model"),
    "log_loss_difference": ("对数损失之差（区间）", "Log-loss against the survival model"),
    "observed": ("实际未下单", "Did not order"),
    "forecasts": ("预测人次", "Forecasts"),
    "orders_came": ("其中下单", "Ordered"),
    "skill": ("比 Kaplan-Meier 好", "Better than Kaplan-Meier"),
    "use_here": ("可否使用", "Use it here?"),
    "origin": ("预测日", "Predicted on"),
    "served": ("实际使用的模型", "Model that served"),
    "between": ("、", ", "),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "verdict_risk": (
        "{buyers} 位买家中有 {high} 人（{share}）未来 {n} 天不下单的风险在 {from_risk} 及以上。",
        (
            "{high} of {buyers} buyers ({share}) have a risk of {from_risk} or more of placing no order in "
            "the next {n} "
            "days."
        ),
    ),
    "verdict_risk_money": (
        "若都保持活跃可期待 {active} 的消费，其中 {money} 面临风险。",
        " Of the {active} that buyers would spend if they stayed active, {money} is at risk.",
    ),
    "verdict_graded": (
        "在 {origins} 个过去的日期上检验：预测平均 {predicted}，实际 {observed}；AUC {auc}，校准斜率 {slope}。",
        (
            " Checked on {origins} past days it could not see: predicted {predicted}, came {observed}; AUC {auc}, "
            "calibration slope {slope}."
        ),
    ),
    "verdict_not_graded": (
        "还没有足够长的历史来检验预测。",
        " The log is too short to check predictions against what came.",
    ),
    "verdict_no_risk": ("流失风险还无法估计：{why}", "Risk cannot be estimated yet: {why}"),
    # why something cannot be estimated
    "why_few_buyers": ("只有 {n} 位买家，至少需要 {need} 位。", "there are {n} buyers, and {need} are needed."),
    "why_short_log": (
        "订单记录只有 {n} 天，至少需要 {need} 天（期限 {horizon} 天的两倍）。",
        "the log covers {n} days, and {need} are needed, twice the horizon of {horizon}.",
    ),
    "why_few_members": ("观察日只有 {n} 位会员，至少需要 {need} 位。", "there are {n} members, and {need} are needed."),
    "why_no_repeaters": ("还没有人在两个不同的日子下过单。", "nobody has ordered on two different days yet."),
    "why_no_origin": (
        "订单记录太短或买家太少，没有一个过去的日期之前有足够的数据、之后有 {horizon} 天。",
        "the log is too short for a past day with enough of it, and of buyers, before and {horizon} days after.",
    ),
    "why_refused": ("数据不满足方法的要求（{code}）。", "the data do not meet what the method needs ({code})."),
    "not_estimated": ("“{what}”无法估计：{why}", "{what} cannot be estimated: {why}"),
    "what_risk": ("流失风险", "Risk"),
    "what_value": ("客户价值", "Value"),
    "what_curves": ("回购曲线", "The curves"),
    "what_clock": ("流失时钟", "The churn clock"),
    "what_backtest": ("历史检验", "The check against the past"),
    "what_members": ("会员留存曲线", "The curve of members"),
    "what_tracking": ("跟踪图", "The tracking picture"),
    # pictures
    "axis_since_landmark": ("{since}之后的天数", "Days after {since}"),
    "title_curves": (
        "{n} 天内再次下单：“{most}”{most_share}，“{least}”{least_share}",
        "Back within {n} days: {most} {most_share}, {least} {least_share}",
    ),
    "title_curve": ("{n} 天内再次下单：“{most}”{most_share}", "Back within {n} days: {most} {most_share}"),
    "title_curves_hidden": ("人数太少，不画（少于 {n}）", "Too few buyers to draw, under {n}"),
    "curves_apart": (
        "各层级的回购速度不同（log-rank 检验 p {p}）。",
        "How soon they order differs between tiers (log-rank p {p}).",
    ),
    "curves_alike": (
        "各层级的回购速度看不出差别（log-rank 检验 p {p}）。",
        "How soon they order does not surely differ between tiers (log-rank p {p}).",
    ),
    "pairs_all_apart": (
        "校正后 {n} 对类型两两都不同。",
        " After adjusting for all {n} pairs, every pair differs.",
    ),
    "pairs_alike": (
        "共 {n} 对，校正后看不出差别的有：{pairs}。",
        " Of {n} pairs, after adjusting for all of them, these do not surely differ: {pairs}.",
    ),
    "pairs_many_alike": (
        "共 {n} 对，校正后有 {alike} 对看不出差别。",
        " Of {n} pairs, {alike} do not surely differ after adjusting for all of them.",
    ),
    "no_members": ("这个业务没有会员期数据。", "This study has no memberships."),
    "at_least": (">{share}", ">{share}"),
    "pair": ("“{one}”与“{other}”", "{one} and {other}"),
    "title_members_half": ("一半会员在第 {n} 天前离开", "Half of the members are gone by day {n}"),
    "title_members": ("第 {n} 天仍有 {share} 是会员", "{share} are still members on day {n}"),
    "members_explained": (
        (
            "{day}的 {n} 位会员，此后逐日观察。当天已入会多久，就从第几天起计入；"
            "当作从入会起就在观察，会把留存看得太好（虚线）。"
        ),
        (
            "{n} members of {day}, followed since. Each counts from the day of membership they had reached "
            "by then; to "
            "count them from their start makes retention look better than it is (dashed)."
        ),
    ),
    "axis_risk_bands": (
        "未来 {n} 天不下单的风险（占该层级买家）",
        "Risk of no order within {n} days, share of the tier's buyers",
    ),
    "band_under": ("低于 {high}", "under {high}"),
    "band_between": ("{low}–{high}", "{low}–{high}"),
    "band_over": ("{low} 及以上", "{low} or more"),
    "title_bands": (
        "风险{band}的占比：“{most}”{most_share}，“{least}”{least_share}",
        "Risk of {band}: {most_share} of {most}, {least_share} of {least}",
    ),
    "title_bands_one": ("风险{band}的占比：“{tier}”{share}", "Risk of {band}: {share} of {tier}"),
    "title_bands_hidden": ("人数太少，不画（少于 {n}）", "Too few buyers to draw, under {n}"),
    "axis_drivers_order": (
        "从低到高（括号内），下一单慢多少倍，其他因素不变",
        "How many times slower the next order comes\nat the second value than at the first, all else equal",
    ),
    "axis_drivers_end": (
        "从低到高（括号内），离开快多少倍，其他因素不变",
        "How many times sooner the end comes\nat the second value than at the first, all else equal",
    ),
    "title_drivers_raises": ("最能提高风险的是“{name}”", "What raises risk most: {name}"),
    "title_drivers_lowers": ("最能降低风险的是“{name}”", "What lowers risk most: {name}"),
    "title_drivers_none": ("没有确定影响风险的因素", "Nothing surely raises or lowers risk"),
    "n_days_is": ("{n} 天", "{n} days"),
    "line_lost_but_ordered": ("判为流失，{n} 天内\n却又下单", "called lost, yet\nordered in {n} days"),
    "line_alive_but_silent": ("判为活跃，{n} 天内\n没有下单", "called alive, yet\nsilent for {n} days"),
    "title_clock": (
        "{n} 天没有下单即判为流失：其中 {share} 在 {horizon} 天内仍会下单",
        "Call them lost after {n} days: {share} of these still order within {horizon}",
    ),
    "title_clock_plain": ("{n} 天没有下单即判为流失", "Call them lost after {n} days without an order"),
    "clock_paste": (
        "写进 study.yaml：churn_window_days: {n}（现在是 {now}）。",
        "For the study file: churn_window_days: {n} (now {now}).",
    ),
    "clock_same": (
        "study.yaml 里已经是 churn_window_days: {n}。",
        "The study file already says churn_window_days: {n}.",
    ),
    "clock_not_reached": (
        "没有一个候选窗口能把判为流失却又下单的比例压到 {share} 以内，这里取最长的。",
        "No candidate keeps those who order after all within {share}, so the longest is taken. ",
    ),
    "axis_predicted": ("预测的 {n} 天不下单风险", "Predicted risk of no order within {n} days"),
    "axis_observed": ("{n} 天内实际没有下单", "Did not order within {n} days"),
    "title_calibration": ("预测的风险如实发生（斜率 {slope}）", "Predicted risks come true (slope {slope})"),
    "title_calibration_flat": ("预测的风险过于极端（斜率 {slope}）", "Predicted risks spread too far (slope {slope})"),
    "title_calibration_steep": (
        "预测的风险过于保守（斜率 {slope}）",
        "Predicted risks spread too little (slope {slope})",
    ),
    "title_calibration_hidden": ("人数太少，不画（少于 {n}）", "Too few buyers to draw, under {n}"),
    "line_all_buyers": ("全部\n{share}", "all\n{share}"),
    "title_lift": (
        "风险最高的一组有 {first} 没有下单，最低的一组 {last}",
        "{first} of the riskiest tenth did not order, {last} of the safest",
    ),
    "means_caption": (
        (
            "{origins} 个预测日的平均，{n} 位买家次；越低越好的是 Brier 和对数损失。差值为正：不如生存模型；"
            "括号内为 95% 区间。"
        ),
        (
            "Mean over {origins} days, {n} forecasts. Brier and log-loss: the lower the better. A difference "
            "above 0 is worse than the "
            "survival model; 95% interval in brackets."
        ),
    ),
    "grades_caption": (
        "“此处勿用”：在至少一个预测日，下单或未下单的人太少，或预测的风险没有如实发生。",
        (
            "Do not use here: on at least one of the days too few ordered or did not, or risks did not come true for "
            "this type."
        ),
    ),
    "usable": ("可以使用（{of} 天中 {n} 天）", "yes ({n} of {of} days)"),
    "do_not_use_here": ("此处勿用（{of} 天中 {n} 天可用）", "do not use here ({n} of {of} days)"),
    "no_drivers": (
        "没有模型能够拟合，由经验表代替，所以说不出因素。",
        "No model could be fitted and a table serves, so there are no drivers to tell.",
    ),
    "served_caption": (
        "拟合不收敛时依次改用更小的步长、岭惩罚、经验表；这里写明每个预测日实际使用的模型。",
        (
            "Where a fit does not converge, a smaller step, a ridge and then an empirical table take over; this "
            "is which one served."
        ),
    ),
    "fit_note": (
        (
            "模型学自 {landmarks} 个观察日（{first}至{last}）的 {episodes} 个片段，"
            "其中 {events} 个以再次下单结束；实际使用：{served}。"
        ),
        (
            "Learned from {episodes} episodes at {landmarks} landmarks, {first} to {last}; {events} of them "
            "ended with an order. "
            "Served: {served}."
        ),
    ),
    "risk_in_your_notebook": (
        (
            "名单不公布。在自己的笔记本里，`ahead.risk` 给出每位买家的风险，"
            "`ahead.churn.explain(ahead.buyers, id)` 说明原因。"
        ),
        (
            "Lists of people are not published. In your own notebook `ahead.risk` holds the risk of each buyer, and "
            "`ahead.churn.explain(ahead.buyers, id)` says why."
        ),
    ),
}
