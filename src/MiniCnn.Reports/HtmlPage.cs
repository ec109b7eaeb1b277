using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>
/// What every page has around its content: one file for a browser, without server and network. Style and script stand in it, pictures are part of it, and its
/// content security policy lets the browser load nothing else. It is light or dark, as the reader's system is.
/// </summary>
public static class HtmlPage
{
    static readonly string style = Resource("report.css"), script = Resource("report.js");
    static readonly string scriptHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));

    internal static int Length => style.Length + script.Length;

    /// <summary>The text of a file with this content.</summary>
    /// <param name="title">What the browser's window is called.</param>
    /// <param name="main">The content, a &lt;main&gt;; see <see cref="Html"/>.</param>
    /// <param name="style">CSS of the page's own, after that of all pages. It stands there as it is: never take it from a stranger.</param>
    public static string Write(string title, XElement main, string style = "")
    {
        ArgumentNullException.ThrowIfNull(main);
        return Write(title, Html.Write(main), style);
    }

    /// <param name="title">What the window is called.</param>
    /// <param name="main">The content, as HTML.</param>
    /// <param name="ownStyle">CSS of the page's own.</param>
    /// <param name="refresh">An element of the head that has the page read again.</param>
    /// <param name="attributes">Of the body, for report.js, after a blank.</param>
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
