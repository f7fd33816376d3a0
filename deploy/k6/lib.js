// What the scenarios share: the requests of `cargo xtask load`, and the checks of their answers.
// Settings come from the environment: BASE_URL, API_KEY, RATE (requests/s), DURATION.

import http from 'k6/http';
import { check } from 'k6';
import { Counter, Rate } from 'k6/metrics';

export const base = __ENV.BASE_URL || 'http://127.0.0.1:8002';
export const rate = Number(__ENV.RATE || 200);
export const duration = __ENV.DURATION || '5m';

const hits = new Rate('cache_hits');
const shed = new Counter('shed');
const silent = new Counter('shed_without_retry_after');

const headers = { 'content-type': 'application/json', authorization: `Bearer ${__ENV.API_KEY || ''}` };
const today = new Date().toISOString().slice(0, 10);

// A number that nobody has used in this run: users count apart.
function serial() {
  return 10000000 + ((__VU * 100000 + __ITER) % 80000000);
}

function invoice(folio, lines, wrong) {
  const lineas = [];
  for (let n = 1; n <= lines; n += 1) {
    const cantidad = 1 + (n % 7);
    const precio = 1990 + 137 * n;
    lineas.push({ numero_linea: n, nombre: `Servicio de mantención, partida ${n}`, cantidad, unidad: 'UN', precio_unitario: precio, monto: cantidad * precio });
  }
  const neto = lineas.reduce((sum, linea) => sum + linea.monto, 0);
  const iva = Math.floor((neto * 19 + 50) / 100);
  return {
    company_id: 1,
    dte_data: {
      tipo_dte: 33, folio, fecha_emision: today,
      rut_emisor: '76543210-3', razon_social_emisor: 'Andamios del Valle Ficticio SpA', giro_emisor: 'Arriendo de andamios',
      rut_receptor: '77012345-3', razon_social_receptor: 'Constructora Imaginaria Limitada',
      monto_neto: neto, tasa_iva: 19, monto_iva: wrong ? 1 : iva, monto_total: neto + iva, lineas,
    },
  };
}

function payslip(employee) {
  return {
    employee_id: employee, period: '2026-03', wage: 1000000,
    lines: [
      { code: 'BASIC', name: 'Sueldo base', amount: 1000000 },
      { code: 'GRAT', name: 'Gratificación legal', amount: 213354 },
      { code: 'AFP', name: 'AFP Uno', amount: -100000 },
      { code: 'FONASA', name: 'Fonasa 7%', amount: -86625 },
      { code: 'AFC', name: 'Seguro de cesantía', amount: -7425 },
    ],
  };
}

function purchase(reference) {
  const supplier = { partner_vat: '76192083-9', partner_name: 'Ferretería Los Alerces Ficticios Ltda.' };
  const orders = [];
  for (let id = 1; id <= 10; id += 1) {
    const price = 4900 + 10 * id;
    orders.push({ id, name: `P0000${id}`, ...supplier, amount_total: Math.floor((10 * price * 119) / 100), date_order: today, lines: [{ description: 'Cemento 25 kg', quantity: 10, price }] });
  }
  return {
    company_id: 1,
    dte_data: { partner_id: 12, ...supplier, total_amount: 59500, date: today, reference: `F-${reference}`, lines: [{ description: 'Cemento 25 kg', quantity: 10, price: 5000 }] },
    pending_pos: orders,
  };
}

function project(reference) {
  return {
    company_id: 1, partner_id: 12, partner_vat: '76192083-9', partner_name: 'Ferretería Los Alerces Ficticios Ltda.',
    invoice_lines: [{ description: `Cemento 25 kg, guía ${reference}`, quantity: 10, price: 5000 }],
    available_projects: [
      { id: 3, name: 'Edificio Los Robles', state: 'open', budget: 90000000 },
      { id: 4, name: 'Mantención bodega', state: 'open', budget: false },
    ],
    historical_purchases: [{ date: '2026-10-02', project_name: 'Edificio Los Robles', amount: 850000 }],
  };
}

function question(folio) {
  return { message: `¿Cómo emito una nota de crédito para la factura ${folio}?` };
}

function judged(answer, name, whole) {
  const refused = answer.status === 429 || answer.status === 503;
  if (refused) {
    shed.add(1, { name });
    if (!answer.headers['Retry-After']) silent.add(1, { name });
  } else if (answer.headers['X-Cache'] && !name.startsWith('chat')) {
    hits.add(answer.headers['X-Cache'] === 'hit');
  }
  check(answer, { answered: (a) => a.status === 200 || a.status === 207, whole }, { name });
}

function ask(name, path, body) {
  judged(http.post(base + path, JSON.stringify(body), { headers, tags: { name } }), name, (a) => a.body.length > 0);
}

function get(name, path) {
  judged(http.get(base + path, { headers, tags: { name } }), name, (a) => a.body.length > 0);
}

export function stream() {
  const answer = http.post(`${base}/api/chat/message/stream`, JSON.stringify(question(serial())), { headers, tags: { name: 'chat-stream' } });
  judged(answer, 'chat-stream', (a) => a.body.includes('"type":"done"'));
}

// The kinds of `cargo xtask load --scenario mixed`, with the same shares.
const kinds = [
  [0.02, () => get('health', '/health')],
  [0.40, () => ask('validate-cached', '/api/ai/validate', invoice(7, 1 + (__ITER % 32), false))],
  [0.15, () => ask('validate-rules', '/api/ai/validate', invoice(serial(), 10, true))],
  [0.08, () => ask('validate-miss', '/api/ai/validate', invoice(serial(), 10, false))],
  [0.08, () => ask('payroll-cached', '/api/payroll/validate', payslip(1 + (__ITER % 32)))],
  [0.07, () => ask('payroll-new', '/api/payroll/validate', payslip(serial()))],
  [0.07, () => ask('match-po', '/api/ai/reception/match_po', purchase(serial()))],
  [0.03, () => ask('suggest-project', '/api/ai/analytics/suggest_project', project(serial()))],
  [0.02, () => get('analytics-stats', '/api/ai/analytics/stats')],
  [0.03, () => get('chat-search', '/api/chat/knowledge/search?query=nota%20de%20credito')],
  [0.03, () => ask('chat-message', '/api/chat/message', question(serial()))],
  [0.02, stream],
];

export function mixed() {
  let drawn = Math.random();
  for (const [share, send] of kinds) {
    drawn -= share;
    if (drawn < 0) {
      send();
      return;
    }
  }
  kinds[0][1]();
}

// Open: arrivals keep their rate whatever the answers do.
export function arrivals(stages) {
  return {
    executor: 'ramping-arrival-rate', startRate: stages[0].target, timeUnit: '1s', preAllocatedVUs: 200, maxVUs: 4000, stages,
  };
}
