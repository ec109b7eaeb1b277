using System.Text;
using System.Xml;
using System.Xml.Linq;
using MiniCnn.Imaging;

namespace MiniCnn.Reports;

/// <summary>Elements of a page. All text goes through XML's writer, so that no class or file name is ever taken for markup.</summary>
public static class Html
{
    static readonly HashSet<string> withoutEnd = ["img", "meta", "br", "input"];

    /// <summary>An element: H("td.number", A("colspan", 2), "7") is &lt;td class="number" colspan="2"&gt;7&lt;/td&gt;.</summary>
    /// <param name="name">Its name, and after a point its classes.</param>
    /// <param name="content">What is in it: attributes, elements, texts and lists of these; null is nothing.</param>
    public static XElement H(string name, params object?[] content)
    {
        ArgumentNullException.ThrowIfNull(name);
        int point = name.IndexOf('.', StringComparison.Ordinal);
        XElement element = new(point < 0 ? name : name[..point], [.. content.Select(Readable)]);
        if (point >= 0)
            element.SetAttributeValue("class", name[(point + 1)..]);
        if (element.IsEmpty && !withoutEnd.Contains(element.Name.LocalName))
            element.Add("");                                     // <div></div>: <div /> would not end it
        return element;
    }

    /// <summary>An attribute; numbers are written as C# writes them.</summary>
    public static XAttribute A(string name, object value) => new(name, value is string text ? Readable(text)! : FormattableString.Invariant($"{value}"));

    /// <summary>A table of texts under a row of titles; the first cell of each row is its title. It can be scrolled where it is too wide.</summary>
    /// <param name="caption">What stands above it.</param>
    /// <param name="titles">Of the columns.</param>
    /// <param name="rows">Rows of texts, of elements to stand in cells, or of &lt;td&gt; elements.</param>
    public static XElement Table(string caption, IEnumerable<object?> titles, IEnumerable<IEnumerable<object?>> rows) => H("div.wide", H(
        "table", H("caption", caption), H("thead", H("tr", titles.Select(title => H("th", A("scope", "col"), title)))),
        H("tbody", rows.Select(row => H("tr", row.Select((cell, i) => cell is XElement { Name.LocalName: "td" } made ? made
            : i == 0 ? H("th", A("scope", "row"), cell) : H("td", cell)))))));

    /// <summary>A picture that is part of the page.</summary>
    /// <param name="picture">Grey or RGB.</param>
    /// <param name="alternative">What it shows, for those who do not see it; empty where a caption says it.</param>
    /// <param name="cell">Pixels of the page for each of its pixels, across and down, which are then seen as squares.</param>
    /// <param name="photo">Whether it is kept as a JPEG, which photos are small as; else as a PNG.</param>
    public static XElement Image(Picture picture, string alternative, int cell = 1, bool photo = false)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using MemoryStream file = new();
        picture.Save(file, photo ? ".jpg" : ".png");
        return H(
            "img", A("src", $"data:image/{(photo ? "jpeg" : "png")};base64,{Convert.ToBase64String(file.GetBuffer(), 0, (int)file.Length)}"),
            A("alt", alternative), A("width", cell * picture.Width), A("height", cell * picture.Height), cell > 1 ? A("class", "cells") : null);
    }

    /// <summary>As HTML.</summary>
    internal static string Write(XElement element)
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
