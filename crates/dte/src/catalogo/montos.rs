//! Causes and cures: lines and amounts.

use jiff::civil::date;

use super::{Ficha, ficha};
use crate::vigencia::Vigencia;

pub(super) const FICHAS: &[Ficha] = &[
    ficha(
        "DTE-MONTO-DECIMALES",
        "El sistema no redondeó a pesos.",
        "Redondear al entero más cercano, el medio hacia arriba.",
    ),
    ficha(
        "DTE-MONTO-NEGATIVO",
        "Un descuento o devolución se emitió como monto negativo.",
        "Usar descuentos en la línea o globales, o una nota de crédito.",
    ),
    ficha(
        "DTE-MONTO-DESBORDE",
        "El monto tiene más de 18 cifras.",
        "Revisar cantidad y precio.",
    ),
    ficha(
        "DTE-LINEAS-AUSENTES",
        "El documento no dice qué se vende.",
        "Agregar al menos una línea de detalle.",
    ),
    ficha(
        "DTE-LINEAS-EXCESO",
        "Caben 60 líneas, o 1.000 en una boleta.",
        "Repartirlas en varios documentos.",
    ),
    ficha(
        "DTE-LINEA-NUMERO-REPETIDO",
        "Dos líneas llevan el mismo NroLinDet.",
        "Numerarlas de corrido desde 1.",
    ),
    ficha(
        "DTE-LINEA-NUMERO",
        "La línea no lleva número, o es cero o negativo.",
        "Numerarlas de corrido desde 1.",
    ),
    ficha(
        "DTE-LINEA-VACIA",
        "La línea no tiene datos, o los tiene dentro de otro elemento.",
        "Quitarla, o poner sus datos directamente en Detalle.",
    ),
    ficha(
        "DTE-LINEA-MONTO",
        "El monto no es cantidad por precio, menos descuento, más recargo, redondeado con el \
         medio hacia arriba.",
        "Recalcular MontoItem; revisar si el descuento está incluido dos veces.",
    ),
    ficha(
        "DTE-LINEA-MONTO-AUSENTE",
        "La línea no dice cuánto vale.",
        "Agregar MontoItem.",
    ),
    ficha(
        "DTE-LINEA-DESCUENTO",
        "El porcentaje y el monto del descuento o recargo no dicen lo mismo.",
        "Recalcular el monto, o quitar el porcentaje.",
    ),
    ficha(
        "DTE-EXENTO-TIPO",
        "Todas las líneas son exentas y el documento es afecto.",
        "Emitirlo como 34 (o 41 si es boleta).",
    ),
    ficha(
        "DTE-EXENTO-CON-NETO",
        "Un documento exento no tiene monto afecto.",
        "Quitar MntNeto, o emitir un documento afecto.",
    ),
    ficha(
        "DTE-EXENTO-CON-IVA",
        "Un documento exento no tiene IVA.",
        "Quitar TasaIVA e IVA, o emitir un documento afecto.",
    ),
    ficha(
        "DTE-EXENTO-LINEA-SIN-MARCA",
        "En una factura exenta cada línea lleva IndExe 1.",
        "Agregar IndExe en la línea.",
    ),
    ficha(
        "DTE-EXENTO-LINEAS-SIN-MONTO",
        "Hay líneas con IndExe 1 y los totales no dicen cuánto es lo exento.",
        "Agregar MntExe.",
    ),
    ficha(
        "DTE-EXENTO-CALCULO",
        "MntExe no es la suma de las líneas exentas, con sus descuentos y recargos globales.",
        "Recalcular MntExe, o corregir IndExe en las líneas.",
    ),
    ficha(
        "DTE-EXENTO-AUSENTE",
        "Falta MntExe en un documento que tiene líneas exentas.",
        "Agregar MntExe.",
    ),
    ficha(
        "DTE-DESCUENTO-GLOBAL-FORMA",
        "El movimiento global no dice si es descuento o recargo, en porcentaje o en monto, o \
         cuánto.",
        "Completar TpoMov (D o R), TpoValor (% o $) y ValorDR.",
    ),
    ficha(
        "DTE-DESCUENTO-GLOBAL-AJENO",
        "Las guías y liquidaciones no llevan movimientos globales.",
        "Llevar el descuento a las líneas.",
    ),
    ficha(
        "DTE-DESCUENTO-GLOBAL-EXCESO",
        "Caben 20 movimientos globales.",
        "Juntarlos, o llevarlos a las líneas.",
    ),
    ficha(
        "DTE-NETO-CALCULO",
        "MntNeto no es la suma de las líneas afectas, con sus descuentos y recargos globales.",
        "Recalcular MntNeto; con precios brutos (MntBruto 1) se divide por 1,19.",
    ),
    ficha(
        "DTE-NETO-AUSENTE",
        "Hay líneas afectas y los totales no dicen el neto.",
        "Agregar MntNeto.",
    ),
    ficha(
        "DTE-IVA-CALCULO",
        "El IVA no es el neto por la tasa, redondeado con el medio hacia arriba; suele venir \
         de sumar el IVA línea por línea.",
        "Calcular el IVA una vez, sobre el neto.",
    ),
    ficha(
        "DTE-IVA-AUSENTE",
        "Hay neto y no hay IVA.",
        "Agregar TasaIVA e IVA.",
    ),
    ficha(
        "DTE-IVA-TASA",
        "La tasa no es 19, o se escribió como 0.19.",
        "Escribir 19.",
    ),
    ficha(
        "DTE-IMPUESTO-CODIGO",
        "El código no está en la tabla de impuestos del SII.",
        "Corregir TipoImp o CodImpAdic según la tabla.",
    ),
    ficha(
        "DTE-IMPUESTO-TASA",
        "La tasa no es la que la tabla da al código.",
        "Corregir la tasa o el código.",
    ),
    ficha(
        "DTE-IMPUESTO-CALCULO",
        "El impuesto no es la suma de las líneas que lo llevan, por su tasa.",
        "Recalcular MontoImp, o corregir CodImpAdic en las líneas.",
    ),
    ficha(
        "DTE-IMPUESTO-AUSENTE",
        "Una línea lleva un código de impuesto que los totales no tienen.",
        "Agregar ImptoReten con ese código, o quitarlo de la línea.",
    ),
    ficha(
        "DTE-IVA-NO-RETENIDO",
        "IVANoRet no es el IVA menos lo que se retiene.",
        "Recalcular IVANoRet, o quitarlo si la retención es total.",
    ),
    ficha(
        "DTE-CREDITO-CONSTRUCTORA-EXCESO",
        "El crédito especial es a lo más 65 % del IVA.",
        "Recalcular CredEC.",
    )
    .en(Vigencia::hasta(date(2026, 12, 31))),
    ficha(
        "DTE-CREDITO-CONSTRUCTORA-DEROGADO",
        "El crédito terminó con el año 2026.",
        "Quitar CredEC.",
    )
    .en(Vigencia::desde(date(2027, 1, 1))),
    ficha(
        "DTE-COMISIONES-CALCULO",
        "Los totales de comisiones no son la suma de sus líneas.",
        "Recalcular ValComNeto, ValComExe y ValComIVA.",
    ),
    ficha(
        "DTE-NO-FACTURABLE-CALCULO",
        "MontoNF no es la suma de lo no facturable.",
        "Recalcular MontoNF, o corregir IndExe en las líneas.",
    ),
    ficha(
        "DTE-NO-FACTURABLE-AUSENTE",
        "Hay líneas no facturables y los totales no dicen cuánto suman.",
        "Agregar MontoNF.",
    ),
    ficha(
        "DTE-MONTO-PERIODO-CALCULO",
        "MontoPeriodo no es el total más lo no facturable.",
        "Recalcularlo u omitirlo.",
    ),
    ficha(
        "DTE-VALOR-PAGAR-CALCULO",
        "VlrPagar no es el total más lo no facturable y el saldo anterior.",
        "Recalcularlo u omitirlo.",
    ),
    ficha(
        "DTE-GARANTIA-CALCULO",
        "GrntDep no es la suma de las líneas de garantía (IndExe 3).",
        "Recalcular GrntDep.",
    ),
    ficha(
        "DTE-BOLETA-TOTAL",
        "El total no es la suma de las líneas, que en la boleta llevan el IVA incluido.",
        "Recalcular MntTotal.",
    ),
    ficha(
        "DTE-BOLETA-NETO",
        "El neto no es lo afecto dividido por 1,19.",
        "Recalcular MntNeto, o quitarlo junto con el IVA.",
    ),
    ficha(
        "DTE-BOLETA-LINEAS-NETAS",
        "Los precios están sin IVA, y sin IndMntNeto se leen con IVA.",
        "Agregar IndMntNeto 2, o poner precios con IVA.",
    ),
    ficha(
        "DTE-TOTAL-CALCULO",
        "El total no es neto más exento más IVA y otros impuestos, menos retenciones y \
         créditos.",
        "Recalcular MntTotal.",
    ),
    ficha(
        "DTE-TOTAL-AUSENTE",
        "El documento no dice su total.",
        "Agregar MntTotal, aunque sea 0.",
    ),
];
