// 多个页面共用的文字。
export const words = {
  "collection": "集合",
  "collection.people": { other: "{name}（{n} 人）" },
  "decision.known": "已知",
  "decision.uncertain": "不确定",
  "decision.unknown": "未知",
};
