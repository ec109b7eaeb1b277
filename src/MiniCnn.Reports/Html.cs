using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace MiniCnn.Reports;

/// <summary>Elements of a page. All text goes through XML's writer, so that no class or file name is ever taken for markup.</summary>
static class Html
{
    static readonly HashSet<string> withoutEnd = ["img", "meta", "br"];

    /// <summary>An element, its class after a point (“td.number”), and what is in it: attributes, elements, texts and lists of these.</summary>
    public static XElement H(string name, params object?[] content)
    {
        int point = name.IndexOf('.', StringComparison.Ordinal);
        XElement element = new(point < 0 ? name : name[..point], [.. content.Select(Readable)]);
        if (point >= 0)
            element.SetAttributeValue("class", name[(point + 1)..]);
        if (element.IsEmpty && !withoutEnd.Contains(element.Name.LocalName))
            element.Add("");                                     // <div></div>: <div /> would not end it
        return element;
    }

    /// <summary>An attribute.</summary>
    public static XAttribute A(string name, object value) => new(name, value is string text ? Readable(text)! : FormattableString.Invariant($"{value}"));

    /// <summary>A table of texts under a row of titles; the first cell of each row is its title.</summary>
    public static XElement Table(string caption, IEnumerable<object?> titles, IEnumerable<IEnumerable<object?>> rows) => H("div.wide", H(
        "table", H("caption", caption), H("thead", H("tr", titles.Select(title => H("th", A("scope", "col"), title)))),
        H("tbody", rows.Select(row => H("tr", row.Select((cell, i) => cell is XElement { Name.LocalName: "td" } made ? made
            : i == 0 ? H("th", A("scope", "row"), cell) : H("td", cell)))))));

    /// <summary>As HTML.</summary>
    public static string Write(XElement element)
    {
        StringBuilder text = new();
        using (XmlWriter writer = XmlWriter.Create(text, new() { OmitXmlDeclaration = true, ConformanceLevel = ConformanceLevel.Fragment }))
            element.WriteTo(writer);
        return text.ToString();
    }

    /// <summary>What XML cannot hold, control characters and halves of pairs, becomes “�”: a file may be named so.</summary>
    static object? Readable(object? content)
    {
        if (content is not string text)
            return content;
        StringBuilder readable = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())             // half a pair is read as U+FFFD
            readable.Append(Rune.IsControl(rune) && rune.Value is not ('\n' or '\t') || rune.Value is 0xFFFE or 0xFFFF ? "\uFFFD" : rune.ToString());
        return readable.ToString();
    }
}
