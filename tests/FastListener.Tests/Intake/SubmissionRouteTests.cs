using System.Text;
using FastListener.Intake;
using Xunit;

namespace FastListener.Tests.Intake;

public class SubmissionRouteTests
{
    [Theory]
    [InlineData("/post?format=json&token=t", "", "", "", "", "format=json&token=t")]
    [InlineData("//post?format=json", "", "", "", "", "format=json")]
    [InlineData("/api/post?json&token=t", "", "", "", "", "json&token=t")]
    [InlineData("/api/minidump/post", "", "", "minidump", "", "")]
    [InlineData("/", "", "", "", "", "")]
    [InlineData("/?guid=1", "", "", "", "", "guid=1")]
    [InlineData("/u/t/minidump", "u", "t", "minidump", "", "")]
    [InlineData("///u/t/minidump/", "u", "t", "minidump", "", "")]
    [InlineData("/u/t/minidump&version=1.0", "u", "t", "minidump", "version=1.0", "")]
    [InlineData("/u/t/json&_mod_duplicate=2?a=b", "u", "t", "json", "_mod_duplicate=2", "a=b")]
    [InlineData("/post/u/t", "u", "t", "", "", "")]
    public void Every_url_form_of_a_client_is_taken_apart(string target, string universe, string token, string format, string glued, string query)
    {
        var route = SubmissionRoute.Parse(Encoding.ASCII.GetBytes(target));

        Assert.Equal(RouteKind.Submission, route.Kind);
        Assert.Equal(universe, Encoding.ASCII.GetString(route.Universe));
        Assert.Equal(token, Encoding.ASCII.GetString(route.Token));
        Assert.Equal(format, Encoding.ASCII.GetString(route.Format));
        Assert.Equal(glued, Encoding.ASCII.GetString(route.Glued));
        Assert.Equal(query, Encoding.ASCII.GetString(route.Query));
    }

    [Theory]
    [InlineData("/favicon.ico", RouteKind.Unknown)]
    [InlineData("/a/b", RouteKind.Unknown)]
    [InlineData("/a/b/c/d", RouteKind.Unknown)]
    [InlineData("/Post", RouteKind.Unknown)]
    [InlineData("/api/login", RouteKind.Console)]
    [InlineData("/api/query?x=1", RouteKind.Console)]
    public void What_is_no_submission_is_told_apart_from_the_console(string target, object kind)
    {
        Assert.Equal((RouteKind)kind, SubmissionRoute.Parse(Encoding.ASCII.GetBytes(target)).Kind);
    }
}
