using System.Xml.Linq;

namespace MiniCnn.Tests;

/// <summary>Reads a page that a <c>RunReport</c> wrote. The page must be complete, and &lt;main&gt; must be valid XML.</summary>
sealed class ReportPage
{
    ReportPage(string text)
    {
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"en\">\n", text, StringComparison.Ordinal);
        Assert.EndsWith("</script>\n</body>\n</html>\n", text, StringComparison.Ordinal);
        Text = text;
        Title = Between("<title>", "</title>").Value;
        Main = Between("<main>", "</main>");
    }

    public string Text { get; }

    public string Title { get; }

    public XElement Main { get; }

    /// <summary>Reads a page.</summary>
    /// <param name="path">The file.</param>
    /// <param name="drawn">Whether all of it could be drawn.</param>
    public static ReportPage Read(string path, bool drawn = true)
    {
        ReportPage page = new(File.ReadAllText(path));
        Assert.Equal(!drawn, page.Text.Contains("could not be drawn", StringComparison.Ordinal));
        return page;
    }

    /// <summary>The text below the heading, without the time of writing.</summary>
    public string State => string.Concat(Main.Elements("p").First(p => Class(p) == "state").Nodes().OfType<XText>().Select(text => text.Value)).Trim();

    /// <summary>The paragraphs below that text.</summary>
    public IEnumerable<string> Notes => Main.Elements("p").Where(p => Class(p) != "state").Select(p => p.Value);

    /// <summary>The figures by name, such as “validation loss”: “0.1234”.</summary>
    public Dictionary<string, string> Cards =>
        Main.Element("dl")!.Elements("div").ToDictionary(card => card.Element("dt")!.Value, card => card.Element("dd")!.Value);

    public Dictionary<string, string> Settings => Table("run").Skip(1).ToDictionary(row => row[0], row => row[1]);

    public IEnumerable<XElement> Sections => Main.Elements("section");

    public XElement? Section(string id) => Sections.SingleOrDefault(section => Id(section) == id);

    /// <summary>The section of a scored data set, or null.</summary>
    public XElement? FindSet(string name) =>
        Sections.SingleOrDefault(section => section.Element("h2")!.Value == $"{name} images" && Id(section) != "validation");

    public XElement Set(string name) => FindSet(name)!;

    /// <summary>The cells of a table of a section; the first row has the titles.</summary>
    public string[][] Table(string id, int index = 0) => Table(Section(id)!, index);

    public static string[][] Table(XElement section, int index = 0) =>
        [.. section.Descendants("table").ElementAt(index).Descendants("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())];

    public XElement Chart(string title) => Section("curves")!.Descendants("figure").Single(figure => figure.Descendants("strong").Single().Value == title);

    /// <summary>The texts below the photos of a section.</summary>
    public static IEnumerable<string> Captions(XElement section) => section.Descendants("figcaption").Select(caption => caption.Value);

    public static string Id(XElement section) => section.Attribute("id")!.Value;

    public static string? Class(XElement element) => element.Attribute("class")?.Value;

    XElement Between(string begin, string end)
    {
        Assert.Equal(2, Text.Split(begin).Length);
        Assert.Equal(2, Text.Split(end).Length);
        int from = Text.IndexOf(begin, StringComparison.Ordinal), to = Text.IndexOf(end, StringComparison.Ordinal) + end.Length;
        return XElement.Parse(Text[from..to], LoadOptions.PreserveWhitespace);
    }
}
