// What several pages say.
export const words = {
  "collection": "Collection",
  "collection.people": { one: "{name} ({n} person)", other: "{name} ({n} people)" },
  "decision.known": "Known",
  "decision.uncertain": "Uncertain",
  "decision.unknown": "Unknown",
};
