//! Causes and cures: head, transport and references.

use super::{Ficha, ficha};
use crate::rules::vigencias::{BOLETA_MAYOR, OTRA_MONEDA, TRANSPORTE};

pub(super) const FICHAS: &[Ficha] = &[
    ficha(
        "DTE-TIPO-AUSENTE",
        "El documento no dice de qué tipo es.",
        "Agregar TipoDTE.",
    ),
    ficha(
        "DTE-TIPO-DESCONOCIDO",
        "El código es de un documento en papel, o no existe.",
        "Usar 33, 34, 39, 41, 43, 46, 52, 56, 61, 110, 111 o 112.",
    ),
    ficha(
        "DTE-TIPO-CUERPO",
        "Las exportaciones van en <Exportaciones>, la liquidación-factura en <Liquidacion>, \
         el resto en <Documento>.",
        "Cambiar el elemento que contiene el documento.",
    ),
    ficha(
        "DTE-FOLIO-AUSENTE",
        "El documento no tiene número.",
        "Tomar el siguiente folio del CAF.",
    ),
    ficha(
        "DTE-FOLIO-RANGO",
        "El folio es cero, negativo o demasiado largo.",
        "Usar un folio del CAF.",
    ),
    ficha(
        "DTE-FECHA-AUSENTE",
        "El documento no tiene fecha de emisión.",
        "Agregar FchEmis.",
    ),
    ficha(
        "DTE-FECHA-FUTURA",
        "La fecha de emisión es posterior a hoy.",
        "Emitir con la fecha de hoy; revisar el reloj y la zona horaria del sistema.",
    ),
    ficha(
        "DTE-FECHA-ANTIGUA",
        "La fecha es anterior a los documentos electrónicos.",
        "Corregir el año.",
    ),
    ficha(
        "DTE-FECHA-VENCIMIENTO",
        "El plazo de pago quedó antes de la emisión.",
        "Corregir FchVenc, u omitirla si se paga al contado.",
    ),
    ficha(
        "DTE-RUT-EMISOR-AUSENTE",
        "El documento no dice quién lo emite.",
        "Agregar RUTEmisor.",
    ),
    ficha(
        "DTE-RUT-EMISOR-FORMA",
        "El RUT lleva puntos, minúscula o le falta el guion.",
        "Escribirlo como 76192083-9.",
    ),
    ficha(
        "DTE-RUT-EMISOR-DV",
        "El RUT se digitó mal: su dígito verificador es otro.",
        "Copiar el RUT de la empresa desde el SII.",
    ),
    ficha(
        "DTE-RUT-EMISOR-RESERVADO",
        "Los RUT genéricos son de receptores sin nombre o extranjeros.",
        "Poner el RUT de la empresa que emite.",
    ),
    ficha(
        "DTE-RUT-RECEPTOR-AUSENTE",
        "El documento no dice quién lo recibe.",
        "Agregar RUTRecep; en boletas sin nombre, 66666666-6.",
    ),
    ficha(
        "DTE-RUT-RECEPTOR-FORMA",
        "El RUT lleva puntos, minúscula o le falta el guion.",
        "Escribirlo como 76192083-9.",
    ),
    ficha(
        "DTE-RUT-RECEPTOR-DV",
        "El RUT del cliente se digitó mal: su dígito verificador es otro.",
        "Pedirle el RUT al cliente y corregir su ficha.",
    ),
    ficha(
        "DTE-RUT-RECEPTOR-RESERVADO",
        "Los RUT genéricos son sólo para boletas, exportaciones y ventas a turistas.",
        "Poner el RUT real del receptor.",
    ),
    ficha(
        "DTE-GUIA-TRASLADO-AUSENTE",
        "La guía no dice por qué se mueven los bienes.",
        "Agregar IndTraslado, de 1 a 9.",
    ),
    ficha(
        "DTE-GUIA-TRASLADO-DESCONOCIDO",
        "El motivo del traslado no es ninguno de los nueve.",
        "Usar un valor de 1 a 9.",
    ),
    ficha(
        "DTE-GUIA-VENTA-CERO",
        "La guía dice que es venta y no tiene monto.",
        "Poner los montos, u otro motivo de traslado.",
    ),
    ficha(
        "DTE-GUIA-TRASLADO-AJENO",
        "El motivo de traslado se emitió en un documento que no lo lleva.",
        "Quitar IndTraslado.",
    ),
    ficha(
        "DTE-MONEDA-AUSENTE",
        "La exportación no dice en qué moneda están sus montos.",
        "Agregar TpoMoneda con el nombre del SII, como DOLAR USA.",
    ),
    ficha(
        "DTE-TRANSPORTE-INCOMPLETO",
        "Desde mayo de 2026 un documento que acompaña bienes dice con qué vehículo, quién, \
         adónde y cuándo.",
        "Completar Transporte, o dejar dicho en el documento que el dato no se conoce.",
    )
    .en(TRANSPORTE),
    ficha(
        "DTE-BOLETA-MAYOR-RECEPTOR",
        "Sobre 135 UF la boleta identifica al comprador y el medio de pago; en efectivo, \
         también su correo y teléfono.",
        "Pedir los datos al comprador, o emitirle factura.",
    )
    .en(BOLETA_MAYOR),
    ficha(
        "DTE-OTRA-MONEDA-AUSENTE",
        "Las exportaciones informan también sus montos en pesos desde 2017.",
        "Agregar OtraMoneda con PESO CL, el tipo de cambio del día de emisión y los montos \
         convertidos.",
    )
    .en(OTRA_MONEDA),
    ficha(
        "DTE-REF-AUSENTE",
        "Una nota de crédito o débito siempre corrige otro documento.",
        "Agregar Referencia con el tipo, folio y fecha del documento que corrige.",
    ),
    ficha(
        "DTE-REF-CODREF-AUSENTE",
        "La referencia no dice si la nota anula, corrige texto o corrige montos.",
        "Agregar CodRef: 1, 2 o 3.",
    ),
    ficha(
        "DTE-REF-CODREF",
        "CodRef tiene un valor que no existe.",
        "Usar 1 (anula), 2 (corrige texto) o 3 (corrige montos).",
    ),
    ficha(
        "DTE-REF-UNICA",
        "Se anula o se corrige el texto de un documento a la vez.",
        "Emitir una nota por documento.",
    ),
    ficha(
        "DTE-REF-GUIA",
        "La guía no es un documento de venta: no hay qué acreditar en ella.",
        "Referenciar la factura de esa guía.",
    ),
    ficha(
        "DTE-REF-EXPORTACION",
        "Una nota de exportación sólo corrige documentos de exportación.",
        "Referenciar un 110, 111 o 112, o emitir una nota 56 o 61.",
    ),
    ficha(
        "DTE-REF-TEXTO-CON-MONTO",
        "Una nota que sólo corrige texto (CodRef 2) no mueve dinero.",
        "Dejar los montos en cero, o usar CodRef 3.",
    ),
    ficha(
        "DTE-REF-MONTO-CERO",
        "Una nota que corrige montos (CodRef 3) no tiene ninguno.",
        "Poner la diferencia, o usar CodRef 2.",
    ),
    ficha(
        "DTE-REF-EXCESO",
        "Caben 40 referencias.",
        "Usar IndGlobal con folio 0, o emitir otro documento.",
    ),
    ficha(
        "DTE-REF-INCOMPLETA",
        "La referencia no dice el tipo o el folio del otro documento.",
        "Completarla o quitarla.",
    ),
    ficha(
        "DTE-REF-FECHA",
        "La fecha de la referencia está en el futuro o es demasiado antigua.",
        "Poner la fecha del documento referido.",
    ),
];
