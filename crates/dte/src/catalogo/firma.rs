//! Causes and cures: stamps, authorisations of folios, signatures and covers.

use super::{Ficha, ficha};

pub(super) const FICHAS: &[Ficha] = &[
    ficha(
        "DTE-TIMBRE-AUSENTE",
        "El documento se valida antes de timbrarlo, o se perdió su TED.",
        "Timbrarlo con el CAF de su tipo antes de firmar y enviar.",
    ),
    ficha(
        "DTE-TIMBRE-FORMA",
        "El TED se armó a mano, se truncó o su base64 está dañado.",
        "Volver a timbrar con un CAF completo, sin tocar sus partes.",
    ),
    ficha(
        "DTE-TIMBRE-FIRMA",
        "Cambió un dato del timbre después de timbrar, o se usó la llave privada de otro CAF.",
        "Volver a timbrar el documento final con la llave del CAF que va en el timbre, y después firmarlo.",
    ),
    ficha(
        "DTE-TIMBRE-BYTES",
        "El timbre se calculó en UTF-8 o con espacios entre sus etiquetas.",
        "Calcular FRMT sobre DD sin espacios entre etiquetas y en ISO-8859-1.",
    ),
    ficha(
        "DTE-TIMBRE-CAMPO",
        "El documento cambió después de timbrarse, o lleva el timbre de otro.",
        "Volver a timbrar: RUT, tipo, folio, fecha y monto del timbre son los del documento.",
    ),
    ficha(
        "DTE-TIMBRE-TEXTO",
        "El nombre del receptor o del primer ítem cambió después de timbrar.",
        "Volver a timbrar: RSR e IT1 son los primeros 40 caracteres de cada nombre.",
    ),
    ficha(
        "DTE-TIMBRE-FECHA",
        "El reloj del equipo está mal, o TSTED se escribió con otra forma.",
        "Corregir el reloj y escribir TSTED como AAAA-MM-DDTHH:MM:SS.",
    ),
    ficha(
        "DTE-CAF-RANGO",
        "El folio se asignó fuera del CAF con que se timbró.",
        "Usar un folio del rango autorizado, o el CAF que contiene ese folio.",
    ),
    ficha(
        "DTE-CAF-TIPO",
        "Se timbró con el CAF de otro tipo de documento.",
        "Timbrar con el CAF del mismo tipo.",
    ),
    ficha(
        "DTE-CAF-EMISOR",
        "Se timbró con el CAF de otra empresa.",
        "Timbrar con un CAF del RUT que emite.",
    ),
    ficha(
        "DTE-CAF-RAZON",
        "La razón social cambió, o se escribe distinto que en el SII.",
        "Usar la razón social registrada en el SII y pedir folios nuevos si cambió.",
    ),
    ficha(
        "DTE-CAF-VENCIDO",
        "Pasaron más de seis meses desde que se autorizaron los folios.",
        "Anular en el SII los folios que quedan y pedir otros.",
    ),
    ficha(
        "DTE-CAF-FECHA",
        "El documento se fechó antes de que el SII autorizara su folio.",
        "Emitirlo con una fecha posterior a la autorización del CAF.",
    ),
    ficha(
        "DTE-CAF-FIRMA",
        "El CAF fue modificado, o no lo emitió el SII de este ambiente.",
        "Bajar de nuevo el CAF desde el SII y timbrar otra vez.",
    ),
    ficha(
        "DTE-FIRMA-AUSENTE",
        "El documento se valida antes de firmarlo.",
        "Firmarlo antes de enviarlo.",
    ),
    ficha(
        "DTE-FIRMA-FORMA",
        "La firma se armó a mano, se truncó o usa algoritmos que el SII no acepta.",
        "Firmar con XML-DSig: C14N 1.0, RSA-SHA1, una Reference y KeyInfo completo.",
    ),
    ficha(
        "DTE-FIRMA-REFERENCIA",
        "El ID del documento cambió, o la referencia no lleva #.",
        "Poner en Reference URI el signo # y el ID del Documento.",
    ),
    ficha(
        "DTE-FIRMA-CONTENIDO",
        "El documento se modificó después de firmarlo.",
        "Volver a firmar (y a timbrar, si cambió un dato del timbre) como último paso.",
    ),
    ficha(
        "DTE-FIRMA-ESPACIOS",
        "El XML se indentó o se volvió a escribir después de firmar.",
        "Enviar exactamente los bytes que se firmaron.",
    ),
    ficha(
        "DTE-FIRMA-CONTEXTO",
        "El documento se firmó ya dentro del sobre, con xmlns:xsi heredado.",
        "Firmar cada DTE suelto, con su xmlns, y después ponerlo en el sobre.",
    ),
    ficha(
        "DTE-FIRMA-NAMESPACE",
        "Se sacó de su sobre o se le quitó el xmlns después de firmar.",
        "Conservar el DTE como se firmó, con su xmlns propio.",
    ),
    ficha(
        "DTE-FIRMA-CODIFICACION",
        "El archivo declara una codificación y sus bytes están en otra.",
        "Escribir el archivo en ISO-8859-1, y firmar después.",
    ),
    ficha(
        "DTE-FIRMA-VALOR",
        "SignatureValue se hizo con otra llave que la de KeyInfo.",
        "Firmar con la llave privada del certificado que se adjunta.",
    ),
    ficha(
        "DTE-FIRMA-CERTIFICADO",
        "El certificado se copió mal o con sus encabezados.",
        "Poner en X509Certificate el certificado en base64, sin BEGIN ni END.",
    ),
    ficha(
        "DTE-FIRMA-LLAVE",
        "KeyValue y X509Certificate son de certificados distintos.",
        "Sacar ambos del mismo certificado.",
    ),
    ficha(
        "DTE-FIRMA-VIGENCIA",
        "El certificado estaba vencido, o aún no valía, al firmar.",
        "Renovar el certificado y volver a firmar.",
    ),
    ficha(
        "DTE-FIRMA-TITULAR",
        "El certificado no es de firma electrónica para el SII.",
        "Usar el certificado de una persona autorizada, con su RUT.",
    ),
    ficha(
        "DTE-FIRMA-TRABAJO",
        "El archivo trae más firmas o contenido repetido de lo que se verifica.",
        "Separar el archivo en envíos más chicos.",
    ),
    ficha(
        "DTE-SOBRE-AUSENTE",
        "El envío se valida antes de firmarlo.",
        "Firmar el SetDTE antes de enviarlo.",
    ),
    ficha(
        "DTE-SOBRE-FIRMA",
        "El envío cambió después de firmarse, o se firmó con otra llave.",
        "Armar el envío completo, y firmarlo como último paso.",
    ),
    ficha(
        "DTE-SOBRE-VIGENCIA",
        "El certificado estaba vencido, o aún no valía, al firmar el envío.",
        "Renovar el certificado y volver a firmar el envío.",
    ),
    ficha(
        "DTE-SOBRE-CONTEXTO",
        "El sobre se firmó con otros espacios de nombres.",
        "Firmar el SetDTE con los xmlns que lleva el archivo enviado.",
    ),
    ficha(
        "DTE-SOBRE-TITULAR",
        "RutEnvia es de otra persona que la dueña del certificado.",
        "Poner en RutEnvia el RUT de quien firma, autorizado ante el SII.",
    ),
    ficha(
        "DTE-CARATULA-AUSENTE",
        "El sobre se armó sin Caratula.",
        "Agregar la Caratula al comienzo de SetDTE.",
    ),
    ficha(
        "DTE-CARATULA-SUBTOTAL",
        "Se agregó o quitó un documento y no se actualizó la carátula.",
        "Un SubTotDTE por tipo, con la cantidad de documentos que van.",
    ),
    ficha(
        "DTE-CARATULA-EMISOR",
        "El envío mezcla emisores, o lleva la carátula de otra empresa.",
        "Un envío por emisor, con su RUT en la carátula.",
    ),
    ficha(
        "DTE-CARATULA-RESOLUCION",
        "Falta la resolución del emisor, o su fecha está mal escrita.",
        "Poner FchResol y NroResol de la empresa; en certificación NroResol es 0.",
    ),
    ficha(
        "DTE-CARATULA-RECEPTOR",
        "Es el envío para un cliente, o el RUT del SII está mal escrito.",
        "Para enviar al SII, RutReceptor es 60803000-K.",
    ),
    ficha(
        "DTE-CESION-DOCUMENTO",
        "El AEC se armó con los datos de otro documento, o el documento cambió después.",
        "Volver a armar la cesión a partir del DTE que se cede.",
    ),
    ficha(
        "DTE-CESION-MONTO",
        "Se escribió un monto mayor que el total del documento.",
        "Ceder a lo más el MntTotal.",
    ),
    ficha(
        "DTE-CESION-CADENA",
        "Falta una cesión anterior, o cede quien no tiene el crédito.",
        "Incluir todas las cesiones en orden, desde la del emisor.",
    ),
    ficha(
        "DTE-CESION-CARATULA",
        "La carátula quedó con los RUT de otra cesión.",
        "Poner en la carátula el cedente y el cesionario de la última cesión.",
    ),
];
