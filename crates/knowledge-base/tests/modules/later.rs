//! Questions of later hand-outs, written from how people ask in a shop and before the keywords
//! were touched again.

use super::{ACCOUNT, DTE, GENERAL, PAYROLL, STOCK};

/// The first misses of every other one were read while keywords were added from knowledge of
/// each field; the others went from 19 of 30 right to 25 unread, and then were read too.
pub(super) const LATER: [(&str, &str); 60] = [
    (
        DTE,
        "el sii me tira que el rut receptor no existe, q puede ser",
    ),
    (
        DTE,
        "se me cayó el internet justo al mandar la factura, cómo sé si llegó",
    ),
    (DTE, "hice la factura con fecha de mañana por error"),
    (DTE, "como pido mas folios"),
    (DTE, "me equivoque de cliente al facturar"),
    (DTE, "cuanto tiempo tengo que guardar los xml"),
    (DTE, "la firma electronica se me vence en enero, que hago"),
    (DTE, "se puede facturar en UF"),
    (
        DTE,
        "un cliente rechazó la factura en el sii y yo no me di cuenta",
    ),
    (
        DTE,
        "la impresora corta el codigo cuadrado de abajo de la boleta",
    ),
    (
        DTE,
        "no me deja usar el 56 para corregir el monto para abajo",
    ),
    (DTE, "cuando corresponde el ILA de los vinos"),
    (PAYROLL, "cuánto sale despedir a alguien que lleva 3 años"),
    (
        PAYROLL,
        "estuvo 10 días enfermo y con licencia, cuanto le pago",
    ),
    (
        PAYROLL,
        "cuantas horas a la semana se trabajan ahora, bajó a 42?",
    ),
    (PAYROLL, "como calculo una hora extra"),
    (
        PAYROLL,
        "el gerente gana 5 millones, hasta cuanto le cotizo",
    ),
    (PAYROLL, "entró el día 12, como le prorrateo el mes"),
    (PAYROLL, "en previred me sale un error en el archivo"),
    (PAYROLL, "cual es el minimo para alguien mayor de 65"),
    (
        PAYROLL,
        "un extranjero que cotiza en su país, igual paga afp?",
    ),
    (
        PAYROLL,
        "cuantos días de feriado le tocan a alguien con 12 años en la empresa",
    ),
    (PAYROLL, "le di un anticipo de 100 mil, donde lo pongo"),
    (
        PAYROLL,
        "lo que le doy para la micro se le suma para descontarle la previsión?",
    ),
    (
        ACCOUNT,
        "como cuadro el libro de ventas con lo que dice el sii",
    ),
    (
        ACCOUNT,
        "la factura de la luz llegó a nombre de otra empresa, la puedo ingresar?",
    ),
    (ACCOUNT, "con qué cuenta registro la compra de un notebook"),
    (ACCOUNT, "le deposité dos veces al mismo proveedor"),
    (
        ACCOUNT,
        "el remanente de crédito fiscal cómo se usa el próximo mes",
    ),
    (
        ACCOUNT,
        "la bencina de la camioneta la puedo usar como gasto",
    ),
    (ACCOUNT, "hasta qué día tengo para declarar el iva"),
    (
        ACCOUNT,
        "el proveedor me mandó una nota de crédito y no sé contra qué factura va",
    ),
    (ACCOUNT, "llegó un cobro de alguien que no conozco"),
    (ACCOUNT, "nos facturaron más de lo que habíamos pedido"),
    (
        ACCOUNT,
        "compré fierro para la obra de ñuñoa, a qué obra lo imputo",
    ),
    (
        ACCOUNT,
        "no tengo ninguna orden abierta para esta factura que llegó",
    ),
    (STOCK, "llegaron menos cajas que las que dice la guía"),
    (
        STOCK,
        "como ajusto las cantidades después de contar la bodega",
    ),
    (
        STOCK,
        "presté una máquina a un cliente por un mes, qué guía le hago",
    ),
    (
        STOCK,
        "mando un equipo al servicio técnico, con qué documento sale",
    ),
    (STOCK, "me pararon el camión y no llevaba guía"),
    (
        STOCK,
        "se quebraron unas botellas en la bodega, como les doy de baja",
    ),
    (STOCK, "el cliente retira en el local, igual va guía?"),
    (STOCK, "despacho en dos viajes una misma venta"),
    (STOCK, "puedo mover materiales a la obra con una guía"),
    (
        STOCK,
        "arriendo andamios y los llevo donde el cliente, eso es venta?",
    ),
    (STOCK, "quedó una guía sin facturar, cómo la cierro"),
    (
        STOCK,
        "un producto volvió fallado, a qué ubicación lo ingreso",
    ),
    (GENERAL, "el servicio responde muy lento, qué miro"),
    (GENERAL, "cuántas consultas por minuto puedo hacer"),
    (
        GENERAL,
        "se guardan los datos de mis clientes en el servidor?",
    ),
    (GENERAL, "cuánto me cuesta al mes usar la ia"),
    (GENERAL, "puedo usarlo sin redis"),
    (GENERAL, "qué significa code en el error json"),
    (GENERAL, "cómo lo actualizo a una versión nueva"),
    (GENERAL, "donde quedan los registros de lo que pasó"),
    (GENERAL, "puedo preguntarle en inglés"),
    (GENERAL, "quién eres y qué sabes hacer"),
    (
        GENERAL,
        "cómo agrego mis propios documentos para que los use al responder",
    ),
    (GENERAL, "gracias, eso era todo"),
];

/// Fifty more, written after those and never looked at again: what they come to is what to
/// expect of questions that nobody has seen.
pub(super) const UNSEEN: [(&str, &str); 50] = [
    (
        DTE,
        "la factura quedó aceptada con reparos, la tengo que hacer de nuevo?",
    ),
    (DTE, "me piden el cesionario, ¿qué es eso?"),
    (
        DTE,
        "cómo le hago una nota de crédito a la mitad de la factura",
    ),
    (
        DTE,
        "el proveedor de cigarros me cobra un impuesto raro, va en el xml?",
    ),
    (DTE, "quiero dar boletas en mi almacén, qué necesito"),
    (DTE, "qué pasa si no mando el acuse de recibo"),
    (DTE, "tengo que imprimir la factura o basta el pdf"),
    (
        DTE,
        "el set de certificación me lo devolvieron con un caso malo",
    ),
    (DTE, "anulé un folio sin querer"),
    (
        DTE,
        "hay un descuento de 10% para toda la venta, dónde se informa",
    ),
    (
        PAYROLL,
        "se accidentó un maestro en la pega, quién paga los días",
    ),
    (
        PAYROLL,
        "la trabajadora volvió del postnatal, la puedo desvincular?",
    ),
    (PAYROLL, "cuanto se paga por trabajar el 18 de septiembre"),
    (PAYROLL, "tengo un junior a honorarios, qué le retengo"),
    (PAYROLL, "en qué afp conviene estar, cuál cobra menos"),
    (
        PAYROLL,
        "le pago comisiones por venta, eso entra en la gratificación?",
    ),
    (
        PAYROLL,
        "no me coincide el imponible con el del mes anterior",
    ),
    (PAYROLL, "si falta dos días sin avisar cómo le descuento"),
    (
        PAYROLL,
        "cuánto aporta la empresa por cada trabajador además del sueldo",
    ),
    (
        PAYROLL,
        "la carga familiar de un niño de 19 años que estudia",
    ),
    (ACCOUNT, "pagamos la patente municipal, a qué cuenta va"),
    (
        ACCOUNT,
        "el banco me rebajó una comisión y no tengo documento",
    ),
    (ACCOUNT, "la OC era por 100 y la factura vino por 120"),
    (ACCOUNT, "cómo hago el asiento de una compra de activo fijo"),
    (
        ACCOUNT,
        "me piden aprobar un pago urgente de un proveedor con cuenta nueva",
    ),
    (
        ACCOUNT,
        "la factura no trae número de orden, con cuál la cruzo",
    ),
    (
        ACCOUNT,
        "cómo dejo una factura repartida entre dos proyectos",
    ),
    (ACCOUNT, "cuándo prescribe el crédito fiscal"),
    (ACCOUNT, "no me cuadra el mayor con el registro de compras"),
    (
        ACCOUNT,
        "el gasto de la fiesta de fin de año se puede rebajar?",
    ),
    (
        STOCK,
        "se perdió un pallet entre la bodega y el local, qué registro",
    ),
    (
        STOCK,
        "llevo herramientas a una faena y vuelven en la tarde, documento?",
    ),
    (STOCK, "cómo recibo en el sistema la compra que llegó ayer"),
    (
        STOCK,
        "me devuelven envases vacíos, los sumo al inventario?",
    ),
    (STOCK, "la mercadería va con un courier, quién hace la guía"),
    (STOCK, "se venció la leche, cómo la saco del sistema"),
    (STOCK, "entregué todo el pedido pero facturo a fin de mes"),
    (STOCK, "cuál es el indicador cuando es venta"),
    (
        STOCK,
        "mando productos a una feria en Puerto Montt y lo que no se venda vuelve",
    ),
    (STOCK, "el kardex me da negativo"),
    (
        GENERAL,
        "qué dirección le pongo al odoo para que se conecte",
    ),
    (GENERAL, "aparece unauthorized"),
    (GENERAL, "se pueden borrar las conversaciones antiguas"),
    (GENERAL, "cuánta memoria ocupa"),
    (
        GENERAL,
        "por qué dos veces la misma pregunta respondió al tiro la segunda",
    ),
    (
        GENERAL,
        "dónde reviso cuánto llevo gastado en claude este mes",
    ),
    (GENERAL, "tiene versión para windows"),
    (GENERAL, "confidence 40 es malo?"),
    (GENERAL, "oye y tú cómo aprendiste todo esto"),
    (GENERAL, "qué puerto hay que abrir en el firewall"),
];
