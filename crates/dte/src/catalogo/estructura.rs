//! Causes and cures: what structure, characters and encoding can be wrong with.

use super::{Ficha, ficha};

pub(super) const FICHAS: &[Ficha] = &[
    ficha(
        "DTE-CAMPO-ILEGIBLE",
        "El valor no se puede leer como número, fecha o código: lleva letras, puntos de miles \
         o coma decimal.",
        "Escribir números sin separador de miles y con punto decimal, y fechas AAAA-MM-DD.",
    ),
    ficha(
        "DTE-ESTRUCTURA-LUGAR",
        "El elemento existe, pero en otra sección; ahí donde está nadie lo lee.",
        "Moverlo a la sección que le da el formato.",
    ),
    ficha(
        "DTE-ESTRUCTURA-DESCONOCIDO",
        "El nombre no existe en el formato, o está mal escrito.",
        "Corregir el nombre, o quitar el elemento.",
    ),
    ficha(
        "DTE-ESTRUCTURA-REPETIDO",
        "El elemento va una sola vez y está dos o más.",
        "Dejar uno.",
    ),
    ficha(
        "DTE-CAMPO-NORMALIZADO",
        "El valor venía con puntos, minúsculas o un prefijo, y se entendió igual.",
        "Nada que hacer; en el XML va escrito como se leyó.",
    ),
    ficha(
        "DTE-CODIFICACION-DISTINTA",
        "El archivo se guardó en una codificación y su primera línea declara otra.",
        "Guardar y declarar ISO-8859-1, antes de timbrar y firmar.",
    ),
    ficha(
        "DTE-CAMPO-FALTA",
        "El esquema exige el elemento, o el formato lo marca como causa de rechazo, y no está \
         o está vacío.",
        "Agregarlo con su valor.",
    ),
    ficha(
        "DTE-CAMPO-OBLIGATORIO",
        "El formato da el dato por obligatorio en este tipo, aunque el esquema no lo exija.",
        "Agregarlo; suele estar en la ficha del cliente o de la sucursal.",
    ),
    ficha(
        "DTE-CAMPO-VACIO",
        "Se escribió la etiqueta sin valor, y un número, fecha o código vacío no es válido.",
        "Omitir la etiqueta o darle valor.",
    ),
    ficha(
        "DTE-CAMPO-REPETICIONES",
        "El elemento se repite más de lo que permite el esquema.",
        "Quitar los que sobran o juntar su contenido.",
    ),
    ficha(
        "DTE-CAMPO-LARGO",
        "El texto supera el largo del campo.",
        "Acortarlo; lo que sobra de un nombre cabe en la descripción (DscItem).",
    ),
    ficha(
        "DTE-CAMPO-VALOR",
        "El campo admite una lista cerrada de valores y dice otro.",
        "Usar uno de los que indica el mensaje.",
    ),
    ficha(
        "DTE-CAMPO-FORMA",
        "El valor no tiene la forma de una fecha, hora, número o RUT.",
        "Escribirlo como indica el mensaje.",
    ),
    ficha(
        "DTE-CAMPO-RANGO",
        "El valor es cero donde debe ser mayor, o tiene más cifras o decimales de los que \
         caben.",
        "Corregirlo, o quitar el campo si no aplica.",
    ),
    ficha(
        "DTE-CAMPO-DIGITO",
        "El número del RUT o su dígito verificador se digitó mal.",
        "Revisar el RUT en su fuente.",
    ),
    ficha(
        "DTE-CAMPO-AJENO",
        "El sistema emite el campo para todos los tipos, y el formato lo da sólo a otros.",
        "Omitirlo en este tipo de documento.",
    ),
    ficha(
        "DTE-CAMPO-INEXISTENTE",
        "El elemento es de otro tipo de documento (las boletas, por ejemplo, tienen nombres \
         propios).",
        "Usar el nombre de este tipo, o quitarlo.",
    ),
    ficha(
        "DTE-CARACTER-LATIN",
        "El texto trae comillas tipográficas, guiones largos, emojis o el signo €, pegados \
         desde otro programa.",
        "Reemplazarlos por caracteres simples: comillas rectas, guion, \"EUR\".",
    ),
    ficha(
        "DTE-CARACTER-CONTROL",
        "El texto trae caracteres invisibles, restos de otra codificación.",
        "Borrarlos.",
    ),
    ficha(
        "DTE-JSON-FALTA",
        "Los datos enviados no traen el campo.",
        "Enviarlo, o asegurarse de que el sistema lo completa en el XML.",
    ),
    ficha(
        "DTE-JSON-LARGO",
        "El texto no cabe en el documento y quedará cortado o será rechazado.",
        "Acortarlo.",
    ),
    ficha(
        "DTE-JSON-CARACTER",
        "El texto trae caracteres que el documento no puede llevar.",
        "Reemplazarlos por caracteres simples.",
    ),
];
