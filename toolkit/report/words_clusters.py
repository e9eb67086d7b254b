"""Labels and sentences about clusters, in Chinese and in English: tables, no logic."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    "cluster": ("客户群", "Cluster"),
    "k": ("群数", "Number of clusters"),
    "feature": ("特征", "Feature"),
    # profile
    "median_window_order_days": ("窗口内下单天数中位数", "Median order days in window"),
    "median_window_spend": ("窗口内净消费中位数", "Median spend in window"),
    "median_mean_order_value": ("客单价中位数", "Median of mean order value"),
    "median_tenure_days": ("距首次下单天数中位数", "Median days since first order"),
    "median_active_days": ("窗口内活跃天数中位数", "Median active days in window"),
    # rules
    "rule": ("一句话规则", "In one line"),
    "named": ("符合规则的客户", "Customers it names"),
    "precision": ("其中属于该群", "Of these, in the cluster"),
    "recall": ("该群中符合规则", "Of the cluster, named"),
    "rule_and": (" 且 ", " and "),
    "rule_or": ("；或 ", "; or "),
    "everybody": ("全部买家", "every buyer"),
    "nobody": ("没有一句话能说清", "no line says it"),
    # number of clusters
    "silhouette": ("轮廓系数（高好）", "Silhouette (high)"),
    "calinski_harabasz": ("CH 指数（高好）", "Calinski-Harabasz (high)"),
    "davies_bouldin": ("DB 指数（低好）", "Davies-Bouldin (low)"),
    "gap": ("Gap 统计量", "Gap statistic"),
    "separation": ("分离度", "Separation"),
    "surplus": ("比无群云团多", "More than a cloud without groups"),
    "stability": ("半数样本一致度（ARI）", "Halves agree (ARI)"),
    "smallest_share": ("最小一群占比", "Smallest cluster"),
    "votes": ("得票（共 5 票）", "Votes of 5"),
    "our_customers": ("我们的客户", "our customers"),
    "a_cloud": ("没有群的云团", "a cloud without groups"),
    # steps
    "transform": ("变换", "Transform"),
    "transform_log": ("取对数", "logarithm"),
    "transform_plain": ("不变", "none"),
    "unit": ("取对数前除以", "Divided by first"),
    "drawn_low": ("低于此值按此值", "Raised to at least"),
    "drawn_high": ("高于此值按此值", "Lowered to at most"),
    "centre": ("均值（变换后）", "Mean, transformed"),
    "scale": ("标准差（变换后）", "Standard deviation, transformed"),
    "beyond": ("被收拢的值", "Values drawn in"),
    # strip of figures
    "clustered_buyers": ("参与分群的买家", "Buyers grouped"),
    "cluster_count": ("群数", "Clusters"),
    "top_cluster_spend": ("第 1 群消费占比", "Cluster 1's share of spend"),
    "halves_agree": ("半数样本一致度（ARI，满分 1）", "Halves agree (ARI, 1 is best)"),
    "rules_hold": ("一句话规则说中", "Buyers the rules place rightly"),
    "kept_cluster": ("一个月后仍在同一群", "In the same cluster as a month before"),
    # checks
    "check_few_buyers": ("买家不到 30 人，只能描述", "Fewer than 30 buyers: descriptive only"),
    "check_one_point": ("所有买家在各特征上都相同", "All buyers are alike"),
    "check_constant_features": ("几乎只有一个值的特征，未用", "Features with one value only: left out"),
    "check_drawn_in": ("超出 1% 或 99% 分位数的值，已收拢", "Values beyond the 1st or 99th percentile: drawn in"),
    "check_k_capped": ("不同的客户少于要求的群数", "Fewer different customers than clusters asked for"),
    "check_k_kept": ("群数沿用上期", "Number of clusters kept from the earlier period"),
    "check_cluster_structure": ("不比没有群的云团分得更开", "No more separate than a cloud without groups"),
    "check_cluster_stability": ("随机取一半客户，分不出同样的群", "Random halves do not find the same clusters"),
    "check_cluster_dissolves": ("随机取一半客户就消失的群", "Clusters that dissolve in random halves"),
    "check_small_clusters": ("不到 1% 买家的群", "Clusters under 1% of the buyers"),
    "check_rule_fidelity": ("一句话规则说中不到 80%", "The rules place under 80% rightly"),
    "check_all_passed": ("没有要说明的", "Nothing to say"),
}

SENTENCES: dict[str, tuple[str, str]] = {
    "cluster_name": ("第 {n} 群", "Cluster {n}"),
    "verdict_clusters": (
        (
            "买家自然分成 {k} 群：随机取一半客户，仍分出同样的群（一致度 {ari}，满分 1）。"
            "第 {n} 群占买家的 {customers}，贡献了近 {days} 天消费的 {spend}。"
        ),
        (
            "Buyers fall into {k} groups of their own: random halves of them find the same groups again (agreement "
            "{ari} of 1). Cluster {n} is {customers} of buyers and brings {spend} of spend in the last {days} days."
        ),
    ),
    "verdict_no_structure": (
        "没有稳定的群：买家连成一片，没有明显的空隙。下面的 {k} 群只是在连续的一片上划的线；分层请用八类客户。",
        (
            "No stable groups: buyers form one cloud without clear gaps. The {k} clusters below only draw lines "
            "through a continuum; use the eight types to tell customers apart."
        ),
    ),
    "verdict_not_stable": (
        (
            "没有稳定的群：随机取一半客户，分出的群就不同（一致度只有 {ari}，满分 1）。"
            "下面的 {k} 群不要用来做决定；分层请用八类客户。"
        ),
        (
            "No stable groups: random halves of the buyers find other groups (agreement only {ari} of 1). Decide "
            "nothing by the {k} clusters below; use the eight types to tell customers apart."
        ),
    ),
    "verdict_few_buyers": (
        "只有 {buyers} 位买家，太少，不分群；这一页只描述他们。",
        "Only {buyers} buyers: too few to look for groups. This page describes them as one.",
    ),
    "verdict_one_point": (
        "所有买家在各项特征上都相同，没有群可分。",
        "All buyers are alike in everything that is looked at, so there are no groups.",
    ),
    "title_heat": (
        "第 {n} 群占买家的 {customers}，贡献了消费的 {spend}",
        "Cluster {n}: {customers} of buyers, {spend} of spend",
    ),
    "title_heat_plain": ("{k} 群的特征中位数", "{k} clusters by the medians of their features"),
    "title_heat_alike": ("所有买家在各项特征上都相同", "All buyers are alike in everything that is looked at"),
    "axis_heat": (
        "格内是中位数；蓝色高于全体买家的中位数，橙色低于",
        "Medians in the cells; blue is above the median of all buyers, orange below",
    ),
    "heat_row": ("第 {n} 群\n{customers} 人，{share}", "Cluster {n}\n{customers} buyers, {share}"),
    "heat_row_hidden": ("第 {n} 群", "Cluster {n}"),
    "title_choice": (
        "分成 {k} 群：比没有群的云团分得更开，一致度 {ari}",
        "{k} clusters stand apart, and random halves agree {ari} of 1",
    ),
    "title_choice_none": (
        "分成 {k} 群：不比没有群的云团分得更开",
        "{k} clusters stand no more apart than a cloud without groups",
    ),
    "title_choice_unstable": (
        "分成 {k} 群：半数样本一致度只有 {ari}",
        "{k} clusters: random halves agree only {ari}",
    ),
    "title_choice_empty": (
        "买家少于 30 人或完全相同，不比较群数",
        "Under 30 buyers, or all alike: no numbers to compare",
    ),
    "axis_choice_k": (
        "群数；其下为半数样本一致度（ARI，满分 1）",
        "Number of clusters; below it how far random halves agree (ARI, 1 is best)",
    ),
    "axis_separation": ("分离度（0 到 1，越高越分明）", "Separation (0 to 1, high is distinct)"),
    "caption_agreement": (
        "两种划分的一致度：ARI {ari}，AMI {ami}（1 为完全相同，0 为毫无关系）",
        "How far both agree: ARI {ari}, AMI {ami} (1 is the same, 0 is unrelated)",
    ),
    "caption_rules": (
        "规则合起来说中 {share} 的买家",
        "Together the rules put {share} of the buyers into their own cluster",
    ),
    "since_k": ("一个月前 {k} 群", "{k} a month before"),
    "of_stayers": ("共 {n} 人没有变动", "of {n} who did not move"),
}
