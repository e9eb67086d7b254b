"""A study file and an experiment file that nothing is wrong with."""

from __future__ import annotations

STUDY = """\
name: my-shop
timezone: Asia/Shanghai
currency: CNY
tables:
  orders:
    files: orders.csv
    columns:
      amount: Total
policies:
  negative_amounts: refund
"""
EXPERIMENT = """\
experiment: coupon
question: Does a coupon bring people back?
arms: {none: 0.4, mail: 0.3, call: 0.3}
control: none
tier: stage
assigned: {first: 2026-09-01, last: 2026-09-07}
window_days: 28
primary: bought
metrics:
  bought: {kind: proportion, of: orders}
  spend: {kind: mean, of: spend}
  basket: {kind: ratio, of: spend, per: orders}
  still_here: {kind: retention, of: active_days, days: [21, 28]}
  lessons: {kind: mean, of: {events: [lesson_complete, lesson_start]}}
guardrails:
  opted_out: {kind: proportion, of: opt_outs, margin: 0.01, worse: higher}
smallest_effect: 0.02
covariate: {days: 90}
profit: {of: spend, margin: 0.6, offer_cost: {mail: 2, call: 5}}
campaigns: {mail: [autumn_mail], call: autumn_call}
"""
