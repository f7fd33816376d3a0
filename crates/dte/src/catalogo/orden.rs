//! Causes and cures: order, periods, exports and transfers.

use super::{Ficha, ficha};

pub(super) const FICHAS: &[Ficha] = &[
    ficha(
        "DTE-FECHA-PERIODO",
        "Se invirtieron PeriodoDesde y PeriodoHasta, o se llenó uno solo.",
        "Informar ambos extremos del período facturado, o ninguno.",
    ),
    ficha(
        "DTE-LINEA-NUMERO-ORDEN",
        "Se quitó o reordenó una línea sin volver a numerar.",
        "Numerarlas de corrido desde 1.",
    ),
    ficha(
        "DTE-GUIA-EXPORTACION",
        "La guía se hizo como la de una venta nacional.",
        "Agregar GuiaExport con CdgTraslado (y FolioAut y FchAut si es 4) y Aduana/TotBultos.",
    ),
    ficha(
        "DTE-GUIA-INTERNA-DESPACHO",
        "El tipo de despacho se copia de las guías de venta.",
        "Omitir TipoDespacho en los traslados internos.",
    ),
    ficha(
        "DTE-GUIA-INTERNA-RECEPTOR",
        "El motivo del traslado o el receptor es de otra operación.",
        "En un traslado interno el receptor es el mismo emisor; si no lo es, elegir otro IndTraslado.",
    ),
    ficha(
        "DTE-RUT-RECEPTOR-PROPIO",
        "Se eligió la propia empresa como cliente.",
        "Revisar el receptor; nadie se vende a sí mismo.",
    ),
    ficha(
        "DTE-RUT-RECEPTOR-EXTRANJERO",
        "Se puso el RUT de una empresa chilena o del representante.",
        "Poner 55555555-5, e identificar al comprador en Extranjero y en su razón social.",
    ),
    ficha(
        "DTE-OTRA-MONEDA-CAMBIO",
        "OtraMoneda se llenó a medias o con la moneda del documento.",
        "Informar TpoMoneda PESO CL y el TpoCambio del Banco Central a la fecha de emisión.",
    ),
    ficha(
        "DTE-IVA-TASA-AUSENTE",
        "El sistema informa el IVA y omite su tasa.",
        "Agregar TasaIVA 19.",
    ),
    ficha(
        "DTE-IMPUESTO-SIN-LINEA",
        "Las líneas no llevan el código del impuesto que se suma en los totales.",
        "Poner CodImpAdic en cada línea afecta a ese impuesto.",
    ),
    ficha(
        "DTE-EXPORTACION-MODALIDAD",
        "La exportación se emitió sin los datos de aduana.",
        "Completar CodModVenta y CodClauVenta en Transporte/Aduana; en un servicio, informar IndServicio.",
    ),
    ficha(
        "DTE-EXPORTACION-BULTOS",
        "Se cambió la cantidad de un tipo de bulto y no el total.",
        "Hacer que TotBultos sea la suma de los CantBultos.",
    ),
    ficha(
        "DTE-EXPORTACION-BULTOS-DESCRIPCION",
        "Se informó el total de bultos sin su detalle.",
        "Agregar TipoBultos con CantBultos y Marcas, o IdContainer y Sello si es contenedor.",
    ),
    ficha(
        "DTE-REF-NUMERO",
        "Se quitó o agregó una referencia sin volver a numerar.",
        "Numerar NroLinRef de corrido desde 1.",
    ),
    ficha(
        "DTE-REF-FECHA-POSTERIOR",
        "La fecha de la referencia es la de otro documento.",
        "Poner la fecha de emisión del documento referido.",
    ),
    ficha(
        "DTE-REF-CODREF-AJENO",
        "La referencia se copió de una nota.",
        "Quitar CodRef: es de las notas de crédito y de débito.",
    ),
    ficha(
        "DTE-REF-FOLIO",
        "El folio lleva letras, prefijos o espacios.",
        "Poner sólo el número del documento electrónico.",
    ),
    ficha(
        "DTE-REF-CODREF-LETRAS",
        "La nota corrige una orden, un pedido u otro papel, y no la factura.",
        "Referenciar con CodRef el documento tributario que se corrige; los demás van sin CodRef.",
    ),
    ficha(
        "DTE-CARACTER-DOS-VECES",
        "Un texto en UTF-8 se leyó como ISO-8859-1 y se volvió a codificar.",
        "Corregir la conversión donde se guarda o se exporta el texto.",
    ),
];
