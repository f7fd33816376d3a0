// What ERPs send, at a steady rate: k6 run -e API_KEY=… -e RATE=200 deploy/k6/mixed.js

import { arrivals, duration, mixed, rate } from './lib.js';

export const options = {
  scenarios: { mixed: arrivals([{ target: rate, duration }]) },
  thresholds: {
    checks: ['rate==1'],
    'http_req_duration{name:health}': ['p(99)<10'],
    'http_req_duration{name:validate-cached}': ['p(99)<5'],
    'http_req_duration{name:validate-rules}': ['p(99)<10'],
  },
};

export default mixed;
