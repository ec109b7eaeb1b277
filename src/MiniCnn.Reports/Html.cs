using System.Text;
using System.Xml;
using System.Xml.Linq;
using MiniCnn.Imaging;

namespace MiniCnn.Reports;

/// <summary>Creates the elements of an HTML page. An XML writer escapes all texts, so that class and file names are never interpreted as markup.</summary>
public static class Html
{
    static readonly HashSet<string> withoutEnd = ["img", "meta", "br", "input"];

    /// <summary>Creates an element: H("td.number", A("colspan", 2), "7") is &lt;td colspan="2" class="number"&gt;7&lt;/td&gt;.</summary>
    /// <param name="name">Tag name, optionally followed by a point and the CSS classes.</param>
    /// <param name="content">Attributes, elements, texts and lists of these. Null is ignored.</param>
    public static XElement H(string name, params object?[] content)
    {
        ArgumentNullException.ThrowIfNull(name);
        int point = name.IndexOf('.', StringComparison.Ordinal);
        XElement element = new(point < 0 ? name : name[..point], [.. content.Select(Readable)]);
        if (point >= 0)
            element.SetAttributeValue("class", name[(point + 1)..]);
        if (element.IsEmpty && !withoutEnd.Contains(element.Name.LocalName))
            element.Add("");                                     // written as <div></div>: in HTML, <div /> does not close the element
        return element;
    }

    /// <summary>Creates an attribute. Numbers are formatted with the invariant culture.</summary>
    public static XAttribute A(string name, object value) => new(name, value is string text ? Readable(text)! : FormattableString.Invariant($"{value}"));

    /// <summary>Creates a table with a header row. The first cell of each row is a header too. A wide table can be scrolled horizontally.</summary>
    /// <param name="caption">Caption above the table.</param>
    /// <param name="titles">Headers of the columns.</param>
    /// <param name="rows">The rows. A cell is a text, an element that is put into a cell, or a &lt;td&gt; element.</param>
    public static XElement Table(string caption, IEnumerable<object?> titles, IEnumerable<IEnumerable<object?>> rows) => H("div.wide", H(
        "table", H("caption", caption), H("thead", H("tr", titles.Select(title => H("th", A("scope", "col"), title)))),
        H("tbody", rows.Select(row => H("tr", row.Select((cell, i) => cell is XElement { Name.LocalName: "td" } made ? made
            : i == 0 ? H("th", A("scope", "row"), cell) : H("td", cell)))))));

    /// <summary>Creates an image that is embedded into the page as a data URL.</summary>
    /// <param name="picture">Grey or RGB.</param>
    /// <param name="alternative">Alternative text of the image; empty if a caption describes the image.</param>
    /// <param name="cell">Side of the square of CSS pixels that shows one pixel of the picture.</param>
    /// <param name="photo">Whether to encode the picture as a JPEG, which is smaller for photos. The default is a PNG.</param>
    public static XElement Image(Picture picture, string alternative, int cell = 1, bool photo = false)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using MemoryStream file = new();
        picture.Save(file, photo ? ".jpg" : ".png");
        return H(
            "img", A("src", $"data:image/{(photo ? "jpeg" : "png")};base64,{Convert.ToBase64String(file.GetBuffer(), 0, (int)file.Length)}"),
            A("alt", alternative), A("width", cell * picture.Width), A("height", cell * picture.Height), cell > 1 ? A("class", "cells") : null);
    }

    /// <summary>Formats an element as HTML.</summary>
    internal static string Write(XElement element)
    {
        StringBuilder text = new();
        using (XmlWriter writer = XmlWriter.Create(text, new() { OmitXmlDeclaration = true, ConformanceLevel = ConformanceLevel.Fragment }))
            element.WriteTo(writer);
        return text.ToString();
    }

    /// <summary>Replaces characters that XML does not allow, control characters and unpaired surrogates, by “�”. File names may have them.</summary>
    static object? Readable(object? content)
    {
        if (content is not string text)
            return content;
        StringBuilder readable = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())             // an unpaired surrogate is read as U+FFFD
            readable.Append(Rune.IsControl(rune) && rune.Value is not ('\n' or '\t') || rune.Value is 0xFFFE or 0xFFFF ? "\uFFFD" : rune.ToString());
        return readable.ToString();
    }
}
