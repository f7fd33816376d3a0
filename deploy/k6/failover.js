// The mixed load while you freeze, kill and start Redis by hand: nothing may fail, and a kept answer
// may cost 50 ms. k6 run -e API_KEY=… -e RATE=200 -e DURATION=2m deploy/k6/failover.js

import { arrivals, duration, mixed, rate } from './lib.js';

export const options = {
  scenarios: { failover: arrivals([{ target: rate, duration }]) },
  thresholds: { checks: ['rate==1'], 'http_req_duration{name:validate-cached}': ['p(99)<50'] },
};

export default mixed;
