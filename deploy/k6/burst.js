// Bursts of twice, four, six and eight times the rate: k6 run -e API_KEY=… -e RATE=50 deploy/k6/burst.js

import { arrivals, mixed, rate } from './lib.js';

const stages = [2, 4, 6, 8].flatMap((factor) => [
  { target: rate, duration: '0s' },
  { target: rate, duration: '15s' },
  { target: rate * factor, duration: '0s' },
  { target: rate * factor, duration: '10s' },
]);

export const options = { scenarios: { burst: arrivals(stages) }, thresholds: { checks: ['rate==1'] } };

export default mixed;
