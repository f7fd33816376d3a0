// The mixed load for long; memory, tasks and descriptors are on the service's own dashboard.
// k6 run -e API_KEY=… -e RATE=200 -e DURATION=20m deploy/k6/soak.js

import { arrivals, duration, mixed, rate } from './lib.js';

export const options = {
  scenarios: { soak: arrivals([{ target: rate, duration }]) },
  thresholds: { checks: ['rate==1'], shed: ['count==0'] },
};

export default mixed;
