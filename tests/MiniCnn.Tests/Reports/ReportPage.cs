using System.Xml.Linq;

namespace MiniCnn.Tests;

/// <summary>A page that a <c>RunReport</c> wrote, read again: it is whole, and what is in &lt;main&gt; is XML.</summary>
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

    /// <summary>Reads one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="drawn">Whether all of it could be drawn.</param>
    public static ReportPage Read(string path, bool drawn = true)
    {
        ReportPage page = new(File.ReadAllText(path));
        Assert.Equal(!drawn, page.Text.Contains("could not be drawn", StringComparison.Ordinal));
        return page;
    }

    /// <summary>What stands below the heading, without when it was written.</summary>
    public string State => string.Concat(Main.Elements("p").First(p => Class(p) == "state").Nodes().OfType<XText>().Select(text => text.Value)).Trim();

    /// <summary>Paragraphs below that.</summary>
    public IEnumerable<string> Notes => Main.Elements("p").Where(p => Class(p) != "state").Select(p => p.Value);

    /// <summary>“validation loss”: “0.1234”.</summary>
    public Dictionary<string, string> Cards =>
        Main.Element("dl")!.Elements("div").ToDictionary(card => card.Element("dt")!.Value, card => card.Element("dd")!.Value);

    public Dictionary<string, string> Settings => Table("run").Skip(1).ToDictionary(row => row[0], row => row[1]);

    public IEnumerable<XElement> Sections => Main.Elements("section");

    public XElement? Section(string id) => Sections.SingleOrDefault(section => Id(section) == id);

    /// <summary>The section of a set that was scored, if there is one.</summary>
    public XElement? FindSet(string name) =>
        Sections.SingleOrDefault(section => section.Element("h2")!.Value == $"{name} images" && Id(section) != "validation");

    public XElement Set(string name) => FindSet(name)!;

    /// <summary>A table of a section as texts, its titles first.</summary>
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
