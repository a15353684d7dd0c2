// Runs named conversations side by side; prints each one's outcome as a line of JSON, {"name", "got"} or {"name", "error"}.
'use strict';

exports.converse = async (conversations) => {
  const limit = new Promise((_, reject) => { setTimeout(() => reject(new Error('nothing more came in 20 s')), 20_000).unref(); });
  // A race that the conversation wins must not leave an unhandled rejection behind.
  limit.catch(() => {});
  await Promise.all(Object.entries(conversations).map(async ([name, conversation]) => {
    try {
      console.log(JSON.stringify({ name, got: await Promise.race([conversation(), limit]) }));
    } catch (error) {
      console.log(JSON.stringify({ name, error: String(error.stack ?? error) }));
    }
  }));
  process.exit(0);
};
