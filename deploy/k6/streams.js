// Streams of the chat, each read to its end: k6 run -e API_KEY=… -e RATE=50 deploy/k6/streams.js

import { arrivals, duration, rate, stream } from './lib.js';

export const options = {
  scenarios: { streams: arrivals([{ target: rate, duration }]) },
  thresholds: { checks: ['rate==1'] },
};

export default stream;
