//! Causes and cures: taxes among themselves, references, and what is known besides a document.

use super::{Ficha, ficha};
use crate::rules::vigencias;

pub(super) const FICHAS: &[Ficha] = &[
    ficha(
        "DTE-COMISIONES-IVA",
        "El IVA de las comisiones se calculó aparte o con otra tasa.",
        "Calcularlo sobre el neto de las comisiones con la tasa vigente.",
    ),
    ficha(
        "DTE-FOLIO-REPETIDO",
        "El folio ya se usó, o el documento se está enviando de nuevo.",
        "Tomar el siguiente folio del CAF, o no reenviar.",
    ),
    ficha(
        "DTE-FOLIO-REPETIDO-ENVIO",
        "El mismo documento se agregó dos veces al envío.",
        "Dejarlo una sola vez, o darle otro folio.",
    ),
    ficha(
        "DTE-GARANTIA-AUSENTE",
        "Las garantías por envases no se sumaron en los totales.",
        "Informar su suma en GrntDep.",
    ),
    ficha(
        "DTE-HISTORIA-DIRECCION",
        "El proveedor cambió de dirección, o el documento no es suyo.",
        "Confirmar con el proveedor por un canal conocido.",
    ),
    ficha(
        "DTE-HISTORIA-FOLIO-ATRAS",
        "El proveedor usa varios rangos de folios, o el documento es antiguo.",
        "Revisar la fecha y que no se haya recibido antes.",
    ),
    ficha(
        "DTE-HISTORIA-FOLIO-SALTO",
        "El proveedor timbró un rango nuevo, o el documento no es suyo.",
        "Confirmar el documento en el registro de compras del SII.",
    ),
    ficha(
        "DTE-HISTORIA-GEMELO",
        "El proveedor facturó dos veces lo mismo.",
        "Comparar ambos documentos antes de aceptar el segundo.",
    ),
    ficha(
        "DTE-HISTORIA-GIRO",
        "El proveedor cambió de giro, o el documento no es suyo.",
        "Confirmar con el proveedor.",
    ),
    ficha(
        "DTE-HISTORIA-MONTO",
        "Una compra fuera de lo habitual, o una cifra con un dígito de más.",
        "Compararlo con la orden de compra.",
    ),
    ficha(
        "DTE-HISTORIA-RAZON-SOCIAL",
        "El proveedor cambió de razón social, o el RUT no es el suyo.",
        "Confirmar con el proveedor antes de pagar.",
    ),
    ficha(
        "DTE-IMPUESTO-BRUTO",
        "El documento se emitió con precios brutos.",
        "Emitirlo con precios netos.",
    ),
    ficha(
        "DTE-IMPUESTO-COMPRA-SIN-RETENCION",
        "Falta la retención que motiva la factura de compra.",
        "Informar el código 15 o el de la retención que corresponda.",
    ),
    ficha(
        "DTE-IMPUESTO-GLOBAL-MONTO",
        "El descuento global se dio en pesos.",
        "Darlo en porcentaje, o en cada línea.",
    ),
    ficha(
        "DTE-IMPUESTO-REPETIDO",
        "El impuesto se agregó dos veces en vez de sumarse.",
        "Dejarlo una vez, con la suma.",
    ),
    ficha(
        "DTE-IMPUESTO-RETENCION-EXCESO",
        "La retención se calculó sobre el total y no sobre el IVA.",
        "Revisar la base y la tasa de la retención.",
    ),
    ficha(
        "DTE-IMPUESTO-SIN-TASA",
        "La retención se informó sin su tasa.",
        "Agregar TasaImp.",
    ),
    ficha(
        "DTE-IVA-NO-RETENIDO-AUSENTE",
        "La parte del IVA que no se retiene no se informó.",
        "Informar la diferencia en IVANoRet.",
    ),
    ficha(
        "DTE-OTRA-MONEDA-CALCULO",
        "El monto en pesos se calculó con otro tipo de cambio o se editó.",
        "Multiplicar por TpoCambio y redondear.",
    )
    .en(vigencias::OTRA_MONEDA),
    ficha(
        "DTE-OTRA-MONEDA-SIN-PAGO",
        "La exportación es sin pago y se convirtió igual.",
        "Informar 0, o corregir la forma de pago.",
    ),
    ficha(
        "DTE-REF-ANULA-CERO",
        "Se anula un documento con montos en cero.",
        "Repetir los montos del documento que se anula.",
    ),
    ficha(
        "DTE-REF-ANULA-MONTO",
        "La nota se emitió por otro monto que el del documento.",
        "Anular por el total, o usar el código 3 para corregir montos.",
    ),
    ficha(
        "DTE-REF-BOLETA",
        "La referencia se copió de una factura.",
        "Quitarla: las boletas sólo llevan referencias propias.",
    ),
    ficha(
        "DTE-REF-FECHA-ORIGINAL",
        "Se escribió la fecha de la nota y no la del documento.",
        "Poner la fecha de emisión del documento que se corrige.",
    ),
    ficha(
        "DTE-REF-GLOBAL",
        "La referencia global lleva un folio, o la de un folio dice ser global.",
        "Con IndGlobal 1 el folio es 0.",
    ),
    ficha(
        "DTE-REF-MONTO-EXCEDE",
        "Se emitieron varias notas por el mismo documento.",
        "Revisar las notas anteriores antes de emitir otra.",
    ),
    ficha(
        "DTE-REF-NO-CORREGIBLE",
        "La nota corrige un documento que no admite correcciones.",
        "Referenciar la factura y no la guía u orden.",
    ),
    ficha(
        "DTE-REF-PLAZO",
        "Pasaron más de seis meses desde el documento.",
        "Informar IndNoRebaja 1: la nota no rebaja el débito.",
    ),
    ficha(
        "DTE-REF-PROPIA",
        "El documento se referencia a sí mismo.",
        "Poner el folio del documento que se corrige.",
    ),
    ficha(
        "DTE-REF-RECEPTOR",
        "La nota se emitió a otro cliente.",
        "Emitirla al receptor del documento que se corrige.",
    ),
    ficha(
        "DTE-REF-REPETIDA",
        "La misma referencia se agregó dos veces.",
        "Dejarla una sola vez.",
    ),
    ficha(
        "DTE-REF-RUT-OTRO",
        "RUTOtr se llenó sin que el documento sea de otro contribuyente.",
        "Quitarlo, o poner el RUT de quien emitió el documento referenciado.",
    ),
    ficha(
        "DTE-REF-TEXTO-CON-PRECIO",
        "La corrección de texto se hizo copiando las líneas.",
        "Una sola línea, sin cantidad ni precio.",
    ),
    ficha(
        "DTE-REF-TIPO",
        "El tipo de la referencia no es un código conocido.",
        "Usar un código de la tabla, como 801 para la orden de compra.",
    ),
    ficha(
        "DTE-TOTAL-SIN-PAGO",
        "La exportación es sin pago y se sumó igual.",
        "Informar total 0, o corregir la forma de pago.",
    ),
];
