//! A hand-made document of made-up companies, as the contract's JSON.

/// A correct factura with two lines.
pub const JSON: &str = r#"{
  "tipo_dte": 33, "folio": 123, "fecha_emision": "2026-11-20",
  "rut_emisor": "76192083-9", "razon_social_emisor": "Ferretería Los Aromos", "giro_emisor": "Venta",
  "rut_receptor": "60803000-K", "razon_social_receptor": "Comprador S.A.",
  "monto_neto": 15000, "tasa_iva": 19, "monto_iva": 2850, "monto_total": 17850,
  "lineas": [
    {"numero_linea": 1, "nombre": "Tornillos", "cantidad": 10, "precio_unitario": 1000, "monto": 10000},
    {"numero_linea": 2, "nombre": "Cemento", "cantidad": 1.5, "precio_unitario": 3333, "monto": 5000}
  ],
  "referencias": [{"tipo_documento": "801", "folio": "OC-77", "fecha": "2026-11-02"}]
}"#;
