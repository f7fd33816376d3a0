//! What a newcomer reads when the service has started with nothing configured.

use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};

/// A small invoice that the rules find nothing wrong with, but for its age.
const EXAMPLE: &str = r#"{"company_id":1,"dte_data":{"tipo_dte":33,"folio":1042,"fecha_emision":"2026-11-20","rut_emisor":"76192083-9","razon_social_emisor":"Ferreteria El Clavo SpA","giro_emisor":"Venta de materiales de construccion","rut_receptor":"12345678-5","razon_social_receptor":"Constructora Los Robles Ltda","monto_neto":10000,"tasa_iva":19,"monto_iva":1900,"monto_total":11900,"lineas":[{"numero_linea":1,"nombre":"Cemento 25 kg","cantidad":2,"precio_unitario":5000,"monto":10000}]}}"#;

/// The text, with the key, which is shown this once and kept nowhere.
pub(crate) fn text(addr: SocketAddr, key: &SecretString) -> String {
    let key = key.expose_secret();
    format!(
        "ai-service escucha en http://{addr}\n\
         \n\
         No hay clave configurada. Esta es la de esta ejecución y no se volverá a mostrar:\n\
         \n    {key}\n\n\
         Pruebe validar una factura:\n\
         \n\
         curl -s http://{addr}/api/ai/validate -H 'Authorization: Bearer {key}' \
         -H 'Content-Type: application/json' -d '{EXAMPLE}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curl_line_is_one_line_that_a_shell_can_take() {
        let text = text("127.0.0.1:8002".parse().unwrap(), &"k3y".into());
        let curl = text.lines().find(|line| line.starts_with("curl ")).unwrap();
        assert!(
            curl.contains("Bearer k3y'") && curl.ends_with('\''),
            "{curl}"
        );
        assert!(!EXAMPLE.contains('\''));
    }
}
