"""Names of models and of the checks on them, in Chinese and in English: tables, no logic."""

from __future__ import annotations

SERVED: dict[str, tuple[str, str]] = {
    "cox": ("Cox 模型", "Cox"),
    "cox, smaller step": ("Cox 模型（更小步长）", "Cox, smaller step"),
    "cox, ridge": ("Cox 模型（岭惩罚）", "Cox, ridge"),
    "weibull": ("Weibull 模型", "Weibull"),
    "weibull, ridge": ("Weibull 模型（岭惩罚）", "Weibull, ridge"),
    "table": ("经验表（最近下单 × 次数）", "table of recency by frequency"),
    "bg_nbd": ("BG/NBD 模型", "BG/NBD"),
    "gamma_gamma": ("Gamma-Gamma 模型", "Gamma-Gamma"),
    "cohort table": ("经验表", "cohort table"),
    "recency bands": ("最近下单分档经验表", "bands of recency"),
    "logistic": ("逻辑回归模型", "logistic"),
}
"""What served, as models call it."""

CHECKS: dict[str, tuple[str, str]] = {
    "all_passed": ("没有要说明的", "Nothing to say"),
    "zero_durations": ("时长为 0 的片段，按半天计", "Episodes that last no time, taken as half a day"),
    "never_buyers": ("没有买过的人不参与学习", "Never-buyers left out of learning"),
    "all_events": ("每个片段都有结果，没有删失", "Every episode has the event: nobody is censored"),
    "left_out": ("没有变化或与其他重复的因素，已略去", "Constant or repeated features, left out"),
    "events_per_covariate": ("每个因素对应的事件太少", "Too few events for each covariate"),
    "served": ("拟合没有一次成功，由后备模型代替", "The fit did not converge at once: another served"),
    "rung": ("一种拟合方式没有收敛", "One way of fitting did not converge"),
    "proportional_hazards": ("影响随时间变化的因素（所示为平均）", "Effects that change with time (the mean is shown)"),
    "competing_deletion": ("注销账号与下单竞争", "Deletions compete with ordering"),
    "strata": ("人数太少而合并的分层", "Strata too small, joined"),
    "no_group": ("没有层级的行，已略去", "Rows without a tier, left out"),
    "small_groups": ("不到 20 人的层级", "Tiers of fewer than 20 people"),
    "customer_twice": ("同一层级里重复的客户", "Customers repeated within a tier"),
    "never_at_risk": ("进入当天即离开的行", "Rows that leave on the day they enter"),
    "no_events": ("没有任何事件", "No event at all"),
    "competing": ("与事件竞争的结果", "Outcomes that compete"),
    "risk_set_emptied": ("某天之后无人可观察", "Nobody left to look at after a day"),
    "tolerance_not_reached": ("没有候选窗口达到要求", "No candidate window is within the tolerance"),
    "few_landmarks": ("可用的观察日少", "Few days to look at"),
    "leak_suspected": ("疑似含有未来信息的列", "Columns that may hold the future"),
    "too_good_in_training": ("训练中好得可疑", "Suspiciously good where it learned"),
    "few_events": ("较少的那一类结果人数少", "Few with the rarer outcome"),
    "calibration_slope": ("校准斜率偏离 1", "The calibration slope is off 1"),
    "beats_kaplan_meier": ("没有确定优于人人相同的风险", "Not surely better than the same risk for all"),
    "beats_contenders": ("有别的模型确定更好", "A contender is surely better"),
    "model_served": ("有的预测日由后备模型代替", "A fallback served on some day"),
    "origins_overlap": ("预测期重叠，各日共享部分结果", "Horizons overlap: days share outcomes"),
    "use_here": ("不能使用的层级", "Types where it must not be used"),
    "bg_nbd_converged": ("BG/NBD 没有收敛，由经验表代替", "BG/NBD did not converge: a table serves"),
    "repeat_buyers": ("复购客户少", "Few repeat buyers"),
    "orders_reproduced": ("模型没有重现已有的复购", "The model does not reproduce the repeat orders made"),
    "gamma_gamma_converged": ("Gamma-Gamma 没有收敛，由均值代替", "Gamma-Gamma did not converge: means serve"),
    "free_repeats": ("复购没有付款的客户", "Repeat buyers who paid nothing"),
    "orders_and_value_independent": ("购买次数与金额相关", "How often and how much are related"),
}
"""Checks of the models, by code."""

FORMS: dict[str, tuple[str, str]] = {
    "in own gaps": ("{name}，按自身间隔计", "{name}, in own gaps"),
    "orders missed": ("漏掉的下单", "Orders missed"),
    "own rate": ("自身下单速度", "Own rate of ordering"),
    "odds of having left": ("已离开的可能", "Odds of having left"),
}
"""What the churn model makes of several columns, as it calls it."""
