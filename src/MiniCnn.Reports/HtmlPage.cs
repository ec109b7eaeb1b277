using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>
/// Writes HTML pages that are one file and need no server and no network. Style, script and pictures are embedded, and the content security policy forbids the
/// browser to load anything else. The page has a light and a dark design and follows the reader's system.
/// </summary>
public static class HtmlPage
{
    static readonly string style = Resource("report.css"), script = Resource("report.js");
    static readonly string scriptHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));

    internal static int Length => style.Length + script.Length;

    /// <summary>Returns the text of a complete HTML file with the given content.</summary>
    /// <param name="title">Title of the page in the browser.</param>
    /// <param name="main">The content, a &lt;main&gt; element; see <see cref="Html"/>.</param>
    /// <param name="style">Additional CSS, after the common CSS. It is not escaped; do not pass untrusted text.</param>
    public static string Write(string title, XElement main, string style = "")
    {
        ArgumentNullException.ThrowIfNull(main);
        return Write(title, Html.Write(main), style);
    }

    /// <param name="title">Title of the page in the browser.</param>
    /// <param name="main">The content, as HTML.</param>
    /// <param name="ownStyle">Additional CSS.</param>
    /// <param name="refresh">An element of the head that reloads the page.</param>
    /// <param name="attributes">Attributes of the body for report.js, starting with a space.</param>
    internal static string Write(string title, string main, string ownStyle = "", string refresh = "", string attributes = "") => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{scriptHash}'">
        <link rel="icon" href="data:,">
        {Html.Write(H("title", title))}
        <style>{style}{ownStyle}</style>
        {refresh}
        </head>
        <body{attributes}>
        {main}
        <script>{script}</script>
        </body>
        </html>

        """;

    static string Resource(string name)
    {
        using StreamReader reader = new(typeof(HtmlPage).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
