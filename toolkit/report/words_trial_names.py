"""Names of tiers in experiments and of the checks on experiments, in Chinese and in English: tables, no logic."""

from __future__ import annotations

TIERS: dict[str, tuple[str, str]] = {
    "top_layer.none": ("未购客户", "No purchase yet"),
    "top_layer.lead_in": ("引流品客户", "Lead-in product"),
    "top_layer.entry": ("入门品客户", "Entry product"),
    "top_layer.premium": ("高价品客户", "Premium product"),
}
"""Names of tiers that are columns of the snapshot, as ``column.class``."""

CHECKS: dict[str, tuple[str, str]] = {
    "all_passed": ("没有要说明的", "Nothing to say"),
    "sample_ratio": ("各组人数与计划占比", "Sizes of the arms against the planned shares"),
    "empty_arm": ("没有人的组别", "An arm without anybody"),
    "no_plan": ("没有事先写下的计划", "No plan was written before"),
    "plan_hash": ("实验文件与写下的计划不符", "The experiment file is not the one that was planned"),
    "plan_changed": ("实验文件在写下计划之后改过", "The experiment file was changed after the plan"),
    "plan_late": ("计划写于开始分组之后", "The plan was written after assignment began"),
    "plan_matches": ("与计划一致", "Evaluated as planned"),
    "peeking": ("还有窗口没有结束", "Some windows are still open: too early to look"),
    "open_windows": ("窗口尚未结束、未计入的人", "Units whose window is still open, left out"),
    "holdout": ("不参与任何组的人", "Units held out of every arm"),
    "two_arms": ("同时在两组、已略去", "In two arms, left out"),
    "unassigned_days": ("不在计划日期分组、已略去", "Assigned on other days than planned, left out"),
    "later_windows": ("窗口尚未结束、未计入的人", "Units whose window is still open, left out"),
    "several_clusters": ("同时在几个群的人", "Customers in several groups"),
    "shared_clusters": ("不同组别的人在同一个群", "Groups that hold several arms"),
    "repeated_units": ("重复的客户", "Customers with several rows"),
    "balance": ("分组前就有差异的指标", "Arms differed before assignment"),
    "assigned_after_outcome": (
        "分组前一天就有结果的人，各组不同",
        "Had the outcome just before, unlike between arms",
    ),
    "outcome_before_assignment": ("结果早于分组", "Outcomes dated before assignment"),
    "covariate_before_assignment": ("协变量早于分组", "Covariates dated before assignment"),
    "covariate_constant": ("没有变化的协变量，未使用", "Covariates that do not vary, not used"),
    "covariate_is_outcome": ("协变量与结果相同", "Covariates that are the outcome itself"),
    "covered": ("样本太少、整体未包含的层级", "Tiers too small to enter the overall"),
    "test": ("数据偏斜，用重新分组来检验", "Tested by re-assignment, because values are skewed"),
    "delivery_unknown": (
        "不知道优惠是否送达：实验文件没有写活动",
        "Delivery is not known: no campaigns are named",
    ),
    "never_delivered": ("没有送达的组别", "Arms that were hardly delivered"),
    "control_delivered": ("对照组收到了别组的活动", "The control got another arm's campaigns"),
    "overall_power": ("整体把握度不够", "Too little power overall"),
    "tiers_cannot_learn": ("单独测不出来的层级", "Tiers that cannot learn by themselves"),
    "capacity": ("名额不够所有人参与", "Not room for everybody"),
    "effect_out_of_reach": ("达不到的效果：超出指标的范围", "An effect that the metric cannot reach"),
    "formula_off": ("公式与模拟不一致的层级", "Formula and simulation disagree"),
    "not_simulated": ("人数太多，没有模拟", "Too many units to simulate"),
    "other_test": ("评估时会用随机化检验的层级", "Tiers in which re-randomisation will serve"),
    "history": ("学习所用的历史", "The history it learned from"),
    "short_history": ("历史太短", "The history is too short"),
    "unknown_tier": ("没有层级的客户", "Customers without a tier"),
    "tier_undated": ("层级只有导出时的值，不是当时的", "The tier is as exported, not as of then"),
    "no_covariate": ("没有协变量可用", "Planned without the covariate"),
    "rows_end_early": ("数据在窗口结束前就断了", "The log ends before windows close"),
}
"""Checks of experiments, by code."""
